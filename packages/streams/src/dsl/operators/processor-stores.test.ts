import { describe, expect, expectTypeOf, it } from 'vitest'
import { describeTopology } from '../../graph/describe.ts'
import { long } from '../../serde/long.ts'
import { string } from '../../serde/string.ts'
import { skip } from '../../task/error-policy.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'
import type { StreamsBuilder } from '../streams-builder.ts'

const TEXT = { key: string(), value: string() }

/** Sessions with a gap of 10 ms, counted by hand; the value `wrong` fails after it has written. */
function sessionCounts(b: StreamsBuilder) {
  const sessions = b.sessionStore('sessions', { key: string(), value: long(), retention: 50 })
  b.stream('in', TEXT)
    .processValues(
      ({ key, value, timestamp }, context) => {
        const store = context.store('sessions')
        expectTypeOf(store.get(key, { startMs: 0, endMs: 0 })).toEqualTypeOf<number | undefined>()
        const found = store.find(key, timestamp - 10, timestamp + 10)
        for (const session of found) store.delete(key, session)
        const startMs = Math.min(timestamp, ...found.map((session) => session.startMs))
        const endMs = Math.max(timestamp, ...found.map((session) => session.endMs))
        const count = found.reduce((sum, session) => sum + session.value, 1)
        store.put(key, { startMs, endMs }, count)
        if (value === 'wrong') throw new RangeError('wrong')
        context.forward(`${startMs}-${endMs}: ${count}`)
      },
      { stores: [sessions], value: string() }
    )
    .to('out')
}

describe('a session store of a processor', () => {
  it('finds the sessions of a key by their bounds, also those that are not committed, and takes them back', async () => {
    const driver = await TopologyTestDriver.open(defineTopology('app', sessionCounts), {
      errors: { processing: skip() }
    })
    const input = driver.input<string, string>('in')
    for (const [key, at] of [
      ['a', 5],
      ['b', 7],
      ['a', 15],
      ['a', 40],
      ['a', 27]
    ] as const)
      await input.pipe(key, '', at)
    await input.pipe('a', 'wrong', 33)
    await input.pipe('a', '', 34)
    expect(driver.output('out').readValues()).toEqual([
      '5-5: 1',
      '7-7: 1',
      '5-15: 2',
      '40-40: 1',
      '27-27: 1',
      '27-40: 3'
    ])
    const rows = await driver.store<string, number>('sessions').all()
    expect(rows.map(({ key, windowStartMs, windowEndMs, value }) => [key, windowStartMs, windowEndMs, value])).toEqual([
      ['b', 7, 7, 1],
      ['a', 5, 15, 2],
      ['a', 27, 40, 3]
    ])
  })

  it('gives sessions up when the stream time is their retention past their ends', async () => {
    const driver = await TopologyTestDriver.open(defineTopology('app', sessionCounts))
    const input = driver.input<string, string>('in')
    for (const [key, at] of [
      ['a', 5],
      ['b', 100],
      ['b', 120],
      ['a', 6]
    ] as const)
      await input.pipe(key, '', at)
    expect((await driver.store('sessions').all()).map(({ key }) => key)).toEqual(['b', 'b'])
    expect(driver.output('out').readValues().at(-1)).toBe('6-6: 1')
  })
})

describe('a window store of a processor', () => {
  const recent = (byKey: boolean) =>
    defineTopology('app', (b) => {
      const windows = b.windowStore('windows', { key: string(), value: string(), retention: 40, byKey })
      b.stream('in', TEXT)
        .processValues(
          ({ key, value, timestamp }, context) => {
            const store = context.store('windows')
            if (value === '') store.delete(key, timestamp)
            else store.put(key, timestamp, value)
            const found = store.fetch(key, timestamp - 20, timestamp)
            context.forward(found.map(({ startMs, value: kept }) => `${kept}@${startMs}`).join(' '))
          },
          { stores: [windows], value: string() }
        )
        .to('out')
    })

  it('finds the windows of a key in a stretch of time, both ends included, where it is told to', async () => {
    const driver = await TopologyTestDriver.open(recent(true))
    const input = driver.input<string, string>('in')
    for (const [key, value, at] of [
      ['a', 'x', 10],
      ['b', 'y', 12],
      ['a', 'z', 25],
      ['a', 'w', 30],
      ['a', '', 25],
      ['a', 'v', 50],
      ['a', 'u', 95],
      ['b', 's', 96],
      ['a', 't', 31]
    ] as const) {
      await input.pipe(key, value, at)
    }
    expect(driver.output('out').readValues()).toEqual([
      'x@10',
      'y@12',
      'x@10 z@25',
      'x@10 z@25 w@30',
      'x@10',
      'w@30 v@50',
      'u@95',
      's@96',
      // What is past the retention is absent from the next commit on, and not written.
      ''
    ])
  })

  it('says what to do where it is not', async () => {
    const driver = await TopologyTestDriver.open(recent(false))
    await expect(driver.input<string, string>('in').pipe('a', 'x', 1)).rejects.toThrow('define it with { byKey: true }')
  })
})

/** Puts prices, and answers what a price was at a time: `name@time`; two processors share the store. */
function prices(b: StreamsBuilder) {
  const history = b.versionedStore('prices', { key: string(), value: long(), history: 100, engine: 'memory' })
  b.stream('changes', { key: string(), value: long() }).process(
    ({ key, value }, context) => {
      if (value < 0) context.store('prices').delete(key)
      else context.store('prices').put(key, value)
    },
    { stores: [history] }
  )
  b.stream('asks', TEXT)
    .processValues(
      ({ value }, context) => {
        const [name, at] = value.split('@')
        const store = context.store('prices')
        const found = at === undefined ? store.get(name) : store.asOf(name, Number(at))
        context.forward(`${value} ${found ?? 'none'} (${store.timestampOf(name)})`)
      },
      { stores: [history], value: string() }
    )
    .to('answers')
}

describe('a versioned store of a processor', () => {
  const topology = defineTopology('app', prices)

  it('answers as of any time of its history, in whatever order versions came', async () => {
    const driver = await TopologyTestDriver.open(topology)
    const changes = driver.input<string, number>('changes')
    await changes.pipe('tea', 3, 100)
    await changes.pipe('tea', 5, 140)
    await changes.pipe('tea', 4, 120)
    await changes.pipe('tea', -1, 160)
    await changes.pipe('cup', 9, 180)
    const asks = ['tea', 'tea@99', 'tea@100', 'tea@125', 'tea@159', 'tea@160', 'cup@179', 'cup']
    for (const ask of asks) await driver.input<string, string>('asks').pipe('1', ask, 181)
    expect(driver.output('answers').readValues()).toEqual([
      'tea none (undefined)',
      'tea@99 none (undefined)',
      'tea@100 3 (undefined)',
      'tea@125 4 (undefined)',
      'tea@159 5 (undefined)',
      'tea@160 none (undefined)',
      'cup@179 none (180)',
      'cup 9 (180)'
    ])
  })

  it('drops and counts what is older than its history, counted from the newest version of any key', async () => {
    const driver = await TopologyTestDriver.open(topology)
    const changes = driver.input<string, number>('changes')
    await changes.pipe('cup', 9, 200)
    await changes.pipe('tea', 3, 100)
    await changes.pipe('tea', 4, 99)
    expect(driver.dropped('late')).toBe(1)
    await driver.input<string, string>('asks').pipe('1', 'tea@99', 200)
    await driver.input<string, string>('asks').pipe('1', 'tea', 200)
    expect(driver.output('answers').readValues()).toEqual(['tea@99 none (100)', 'tea 3 (100)'])
  })

  it('is one store of one sub-topology, with its history in the description', () => {
    expect(topology.subtopologies).toHaveLength(1)
    expect(describeTopology(topology).stores).toMatchObject([
      { name: 'prices', kind: 'key-value', historyMs: 100, engine: 'memory', keptBy: ['process', 'processValues'] }
    ])
  })
})

it('a processor gets the same store whenever it asks', async () => {
  const seen = new Set<unknown>()
  const topology = defineTopology('app', (b) => {
    const store = b.store('store', TEXT)
    b.stream('in', TEXT).process((_record, context) => void seen.add(context.store('store')), { stores: [store] })
  })
  const driver = await TopologyTestDriver.open(topology)
  for (const key of ['a', 'b']) await driver.input<string, string>('in').pipe(key, '')
  expect(seen.size).toBe(1)
})
