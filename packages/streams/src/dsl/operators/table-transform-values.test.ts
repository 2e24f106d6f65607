import { describe, expect, it } from 'vitest'
import { describeTopology, formatTopology } from '../../graph/describe.ts'
import { nullable } from '../../serde/custom.ts'
import { long } from '../../serde/long.ts'
import { string } from '../../serde/string.ts'
import { skip } from '../../task/error-policy.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'
import type { KTable } from '../k-table.ts'
import type { StreamsBuilder } from '../streams-builder.ts'
import { untilWindowCloses } from '../suppress-until.ts'
import { sessions, tumbling } from '../windows.ts'

const TEXT = { key: string(), value: string() }

/** A table whose transformer counts how often it is called for a key, and says so; deletions too. */
function counted(b: StreamsBuilder, options: { store?: string; emit?: 'commit' | 'changes' } = {}) {
  const calls = b.store('calls', { key: string(), value: long() })
  const rows = b.table('rows', TEXT)
  const transformed: KTable<string, string> = rows.transformValues(
    (value, { key }, context) => {
      const call = (context.store('calls').get(key) ?? 0) + 1
      context.store('calls').put(key, call)
      return `${value}#${call}`
    },
    { stores: [calls], value: string(), ...options }
  )
  return transformed
}

async function run(define: (b: StreamsBuilder) => void, rows: readonly (readonly [string, string | null, number])[]) {
  const driver = await TopologyTestDriver.open(defineTopology('app', define))
  for (const [key, value, timestamp] of rows)
    await driver.input<string, string | null>('rows').pipe(key, value, timestamp)
  const read = driver.output<string, string>('out').readAll()
  return { driver, out: read.map(({ key, value, timestamp }) => [key, value, timestamp]) }
}

const ROWS = [
  ['a', 'x', 1],
  ['b', 'y', 2],
  ['a', 'z', 3],
  ['a', null, 4]
] as const

describe('transformValues', () => {
  it('is called once a change where nothing wants to know what was before, for deletions too', async () => {
    const { driver, out } = await run((b) => counted(b).toStream().to('out'), ROWS)
    expect(out).toEqual([
      ['a', 'x#1', 1],
      ['b', 'y#1', 2],
      ['a', 'z#2', 3],
      ['a', 'null#3', 4]
    ])
    expect(driver.store('calls').get('a')).toEqual({ value: 3, timestamp: 4 })
  })

  it('is called again for what a row was where its result is not kept, with its stores as they are then', async () => {
    const { driver, out } = await run((b) => {
      const grouped = counted(b).groupBy((value) => value, { key: string() })
      grouped.count({ emit: 'changes' }).toStream().to('out')
    }, ROWS)
    expect(driver.store('calls').get('a')).toEqual({ value: 6, timestamp: 4 })
    // The subtractor looks for what was never added: the new value is transformed first.
    expect(out.map(([key, value]) => [key, value])).toEqual([
      ['null#2', null],
      ['x#1', 1],
      ['null#2', null],
      ['y#1', 1],
      ['x#4', null],
      ['z#3', 1],
      ['z#6', null],
      ['null#5', 1]
    ])
  })

  it('says what its result was where that is kept', async () => {
    const { driver, out } = await run((b) => {
      const grouped = counted(b, { store: 'kept' }).groupBy((value) => value, { key: string() })
      grouped.count({ emit: 'changes' }).toStream().to('out')
    }, ROWS)
    expect(driver.store('calls').get('a')).toEqual({ value: 3, timestamp: 4 })
    expect(driver.store('kept').get('a')).toEqual({ value: 'null#3', timestamp: 4 })
    expect(out.map(([key, value]) => [key, value])).toEqual([
      ['x#1', 1],
      ['y#1', 1],
      ['x#1', 0],
      ['z#2', 1],
      ['z#2', 0],
      ['null#3', 1]
    ])
  })

  it('deletes by null, and sends the last change of a key at the commit if it is told to', async () => {
    const { out, driver } = await run((b) => {
      b.table('rows', TEXT)
        .transformValues((value) => (value === null || value === 'z' ? null : `${value}!`), {
          value: nullable(string()),
          store: 'kept',
          emit: 'commit'
        })
        .toStream()
        .to('out')
    }, ROWS)
    expect(out).toEqual([
      ['a', 'x!', 1],
      ['b', 'y!', 2],
      ['a', null, 3],
      ['a', null, 4]
    ])
    expect((await driver.store('kept').all()).map(({ key }) => key)).toEqual(['b'])
  })

  it('is asked where its table is read, for rows that are not there too', async () => {
    const topology = defineTopology('app', (b) => {
      const asked = b.store('asked', { key: string(), value: string() })
      const rows = b.table('rows', TEXT).transformValues(
        (value, { key, timestamp }, context) => {
          context.store('asked').put(key, `${value}@${timestamp}`)
          return value ?? 'nothing'
        },
        { stores: [asked], value: string() }
      )
      b.stream('in', TEXT)
        .join(rows, (left, right) => `${left}+${right}`, { value: string() })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('rows').pipe('a', 'x', 7)
    await driver.input<string, string>('in').pipe('a', '1', 9)
    await driver.input<string, string>('in').pipe('b', '2', 10)
    expect(driver.output('out').readValues()).toEqual(['1+x', '2+nothing'])
    expect(driver.store('asked').get('a')).toEqual({ value: 'x@7', timestamp: 7 })
    expect(driver.store('asked').get('b')).toEqual({ value: 'null@-1', timestamp: 0 })
  })

  it('has clocks: one transformer a task, however many read its table', async () => {
    let made = 0
    let closed = 0
    const topology = defineTopology('app', (b) => {
      const ticks = b.store('ticks', { key: string(), value: long() })
      const rows = b.table('rows', TEXT).transformValues(
        {
          make: (context) => {
            made++
            const store = context.store('ticks')
            const tick = (name: string) => () => store.put(name, (store.get(name) ?? 0) + 1)
            context.schedule(10, 'stream-time', tick('stream'))
            context.schedule(10, 'wall-clock', tick('wall'))
            return {
              transform: (value, { key }) => `${value}/${key}/${store.get('stream') ?? 0}`,
              close: () => {
                closed++
              }
            }
          }
        },
        { stores: [ticks], value: string() }
      )
      const other = b.table('other', TEXT)
      rows
        .join(other, (left, right) => left + right, { value: string() })
        .toStream()
        .to('out')
      b.stream('in', TEXT)
        .join(rows, (left, right) => left + right, { value: string() })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('rows').pipe('a', 'x', 5)
    await driver.input<string, string>('rows').pipe('a', 'y', 25)
    await driver.input<string, string>('in').pipe('a', '1', 26)
    await driver.advanceWallClock(10)
    expect(driver.output('out').readValues()).toEqual(['1y/a/2'])
    expect(driver.store('ticks').get('stream')?.value).toBe(2)
    expect(driver.store('ticks').get('wall')?.value).toBe(1)
    expect(made).toBe(1)
    await driver.close()
    expect(closed).toBe(1)
  })

  it('has the windows of the table above, and what it remembers', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', TEXT)
        .groupByKey()
        .windowedBy(tumbling({ size: 10 }))
        .count({ store: 'n', emit: 'changes' })
        .transformValues((count, { key }) => `${key.key}:${count}`, { value: string() })
        .suppress(untilWindowCloses())
        .toStream()
        .to('out')
      const versions = b
        .table('rows', { ...TEXT, history: '1h' })
        .transformValues((value) => `${value}!`, { value: string() })
      b.stream('asks', TEXT)
        .join(versions, (_ask, row) => row, { value: string() })
        .to('answers')
    })
    const driver = await TopologyTestDriver.open(topology)
    for (const at of [1, 2, 11]) await driver.input<string, string>('in').pipe('a', '', at)
    expect(driver.output('out').readValues()).toEqual(['a:2'])
    await driver.input<string, string>('rows').pipe('a', 'old', 100)
    await driver.input<string, string>('rows').pipe('a', 'new', 200)
    await driver.input<string, string>('asks').pipe('a', '', 150)
    expect(driver.output('answers').readValues()).toEqual(['old!'])
  })

  it('fails the record whose value it fails for, or that reads it, and a skipped one leaves nothing in its stores', async () => {
    const topology = defineTopology('app', (b) => {
      const seen = b.store('seen', TEXT)
      const rows = b.table('rows', { ...TEXT, store: 'rows' }).transformValues(
        (value, { key }, context) => {
          context.store('seen').put(key, `${value}`)
          if (value === 'bad') throw new RangeError('bad row')
          return value ?? ''
        },
        { stores: [seen], value: string() }
      )
      rows.toStream().to('out')
      b.stream('in', TEXT)
        .join(rows, (left, right) => left + right, { value: string() })
        .to('joined')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    await driver.input<string, string>('rows').pipe('a', 'good', 1)
    await driver.input<string, string>('rows').pipe('a', 'bad', 2)
    expect(driver.store('seen').get('a')?.value).toBe('good')
    expect(driver.store('rows').get('a')?.value).toBe('good')
    expect(driver.output('out').readValues()).toEqual(['good'])
    expect(driver.skipped()).toMatchObject([{ node: 'rows-transformValues', topic: 'rows', offset: 1 }])
  })

  it('is in the drawing with its stores, which join the parts of a topology', () => {
    const topology = defineTopology('app', (b) => {
      const shared = b.store('shared', TEXT)
      const global = b.globalStore('global', 'everywhere', TEXT)
      b.stream('in', TEXT).process(({ key, value }, context) => context.store('shared').put(key, value), {
        stores: [shared]
      })
      b.table('rows', TEXT).transformValues(
        (value, { key }, context) =>
          context.store('shared').get(key) ?? context.store('global').get(key) ?? value ?? '',
        { stores: [shared, global], value: string(), store: 'result', name: 'patched' }
      )
    })
    expect(topology.subtopologies).toHaveLength(1)
    const described = describeTopology(topology)
    const node = described.subtopologies[0].nodes.find(({ name }) => name === 'patched')
    expect(node).toMatchObject({ does: 'transformValues', stores: ['shared', 'result', 'global'], emit: 'changes' })
    expect(formatTopology(topology)).toContain('patched: transformValues in shared, result in result, emits changes')
    expect(described.stores.map(({ name, keptBy }) => [name, keptBy])).toEqual([
      ['shared', ['process', 'transformValues']],
      ['result', ['transformValues']]
    ])
  })

  it('knows no stores but those it was given', async () => {
    const topology = defineTopology('app', (b) => {
      b.table('rows', TEXT).transformValues((_value, _row, context) => Reflect.apply(context.store, context, ['other']))
    })
    const driver = await TopologyTestDriver.open(topology)
    await expect(driver.input<string, string>('rows').pipe('a', 'x', 1)).rejects.toThrow(
      'rows-transformValues was not given store other'
    )
  })

  it('works on tables of sessions', async () => {
    const { out } = await run(
      (b) => {
        b.stream('rows', TEXT)
          .groupByKey()
          .windowedBy(sessions({ gap: 5 }))
          .count({ store: 'n', emit: 'changes' })
          .transformValues((count, { key }) => (count === null ? null : `${key.startMs}-${key.endMs}: ${count}`), {
            value: nullable(string())
          })
          .toStream()
          .selectKey((_value, { key }) => key.key)
          .to('out', TEXT)
      },
      [ROWS[0], ROWS[2]]
    )
    expect(out).toEqual([
      ['a', '1-1: 1', 1],
      ['a', null, 1],
      ['a', '1-3: 2', 3]
    ])
  })
})
