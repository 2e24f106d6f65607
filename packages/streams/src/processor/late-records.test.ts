import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { LateOption } from '../dsl/options.ts'
import { hopping, sessions, sliding, tumbling } from '../dsl/windows.ts'
import { describeTopology } from '../graph/describe.ts'
import { bytes } from '../serde/bytes.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { skip } from '../task/error-policy.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

const text = { key: string(), value: string() }

describe('late records', () => {
  it('go to a topic as they came, once each, with their headers', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupBy((value) => value)
        .windowedBy(hopping({ size: 20, advance: 10 }), { onLate: { lateTo: 'late' } })
        .count({ emit: 'changes' })
        .toStream()
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const header = { key: 'h', value: Buffer.from('1') }
    await driver.input<string, string>('in').pipe('k', 'a', 100)
    // One of its windows is open.
    await driver.input<string, string>('in').pipe('k', 'a', { timestamp: 85, headers: [header] })
    await driver.input<string, string>('in').pipe('k', 'a', 84)
    await driver.input<string, string>('in').pipe('k', 'a', 12)
    expect(
      driver
        .output('out')
        .readAll()
        .map(({ timestamp }) => timestamp)
    ).toEqual([100, 100])
    expect(driver.output('late', text).readAll()).toEqual([
      { key: 'a', value: 'a', timestamp: 85, headers: [header] },
      { key: 'a', value: 'a', timestamp: 84, headers: [] },
      { key: 'a', value: 'a', timestamp: 12, headers: [] }
    ])
    expect(driver.dropped('late')).toBe(6)
  })

  it.each([
    ['tumbling', tumbling({ size: 10 })],
    ['sliding', sliding({ difference: 10 })]
  ])('are shown to a callback: %s windows', async (_name, window) => {
    const seen: string[] = []
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupByKey()
        .windowedBy(window, { onLate: (value, { key, timestamp }) => seen.push(`${key} ${value} ${timestamp}`) })
        .count()
    })
    const driver = await TopologyTestDriver.open(topology)
    for (const at of [100, 95, 80, 105, 70]) await driver.input<string, string>('in').pipe('k', 'v', at)
    expect(seen.slice(-2)).toEqual(['k v 80', 'k v 70'])
  })

  it('are shown to a callback: sessions; its error goes to the policy', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupByKey()
        .windowedBy(sessions({ gap: 10 }), {
          onLate: () => {
            throw new TypeError('late')
          }
        })
        .count()
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    for (const at of [100, 50]) await driver.input<string, string>('in').pipe('k', 'v', at)
    expect(driver.skipped()).toMatchObject([{ code: 'STREAMS_PROCESSING', node: 'in-session-10ms-count' }])
  })

  it('of a cogroup are told by stream, and written by the serdes of their stream', async () => {
    const seen: unknown[] = []
    const topology = (onLate: LateOption<string, unknown>) =>
      defineTopology('app', (b) => {
        const numbers = b.stream('numbers', { key: string(), value: long() }).groupByKey()
        b.stream('in', text)
          .groupByKey()
          .cogroup<string>((value, all) => `${all}${value}`)
          .cogroup(numbers, (value, all) => `${all}${value}`)
          .windowedBy(tumbling({ size: 10 }), { onLate })
          .aggregate(() => '', { value: string(), emit: 'changes' })
      })
    for (const onLate of [(value: unknown) => seen.push(value), { lateTo: 'late' }] as const) {
      const driver = await TopologyTestDriver.open(topology(onLate))
      await driver.input<string, string>('in').pipe('k', 'a', 100)
      await driver.input<string, number>('numbers').pipe('k', 1, 110)
      await driver.input<string, string>('in').pipe('k', 'b', 99)
      await driver.input<string, number>('numbers').pipe('k', 2, 105)
      expect(driver.dropped('late')).toBe(2)
      if (typeof onLate === 'object') {
        const [first, second] = driver.output('late', { key: bytes(), value: bytes() }).readValues()
        expect([first, second]).toEqual([Buffer.from('b'), long().encode(2)])
      }
    }
    expect(seen).toEqual(['b', 2])
  })

  it('of a join of streams are those whose window and grace are past; what is still kept is found all the same', async () => {
    const seen: string[] = []
    const joining = (onLate: LateOption<string, string>) =>
      defineTopology('app', (b) => {
        b.stream('left', text)
          .leftJoin(b.stream('right', text), (left, right) => `${left}-${right}`, {
            within: { before: 10, after: 5 },
            grace: 5,
            value: string(),
            onLate
          })
          .to('out')
      })
    for (const onLate of [(value: string) => seen.push(value), { lateTo: 'late' }] as const) {
      const topology = joining(onLate)
      const driver = await TopologyTestDriver.open(topology)
      const [left, right] = [driver.input<string, string>('left'), driver.input<string, string>('right')]
      await left.pipe('k', 'a', 85)
      await right.pipe('other', 'x', 100)
      // 90 and the 5 after it are not more than the grace before 100; with 89 they are.
      await left.pipe('k', 'b', 90)
      await left.pipe('k', 'c', 89)
      // Of the right side what counts is the 10 before the left one.
      await right.pipe('k', 'd', 85)
      await right.pipe('k', 'e', 84)
      expect(driver.dropped('late')).toBe(2)
      expect(driver.output('out').readValues()).toContain('a-e')
      if (typeof onLate === 'object') {
        expect(driver.output('late', text).readValues()).toEqual(['c', 'e'])
        expect(describeTopology(topology).subtopologies[0].nodes.flatMap(({ writes }) => writes)).toEqual([
          'late',
          'out'
        ])
      }
    }
    expect(seen).toEqual(['c', 'e'])
  })
})

describe("emit: { every: '5s' }", () => {
  it('lets one update per key go on in that much stream time, the last', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupByKey()
        .count({ store: 'counts', emit: { every: '5s' } })
        .toStream()
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const output = driver.output('out')
    const seen: [number, unknown][] = []
    for (const at of [0, 1_000, 4_999, 5_000, 6_000, 9_000, 20_000]) {
      await driver.input<string, string>('in').pipe('k', 'v', at)
      for (const value of output.readValues()) seen.push([at, value])
    }
    expect(seen).toEqual([
      [5_000, 4],
      [20_000, 7]
    ])
    expect(driver.store('counts').get('k')?.value).toBe(7)
  })

  it('is refused for no time at all', () => {
    expect(() =>
      defineTopology(
        'app',
        (b) =>
          void b
            .stream('in', text)
            .groupByKey()
            .count({ emit: { every: 0 } })
      )
    ).toThrow('emit.every is 0: less than 1 ms')
  })

  it('sends no two updates of a key nearer than that, and the last in the end, with crashes anywhere', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupByKey()
        .count({ store: 'counts', emit: { every: 50 } })
        .toStream()
        .mapValues(String, { value: string() })
        .to('out')
    })
    const given = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b'),
        stepMs: fc.nat({ max: 40 }),
        after: fc.constantFrom('', 'commit', 'crash')
      }),
      { maxLength: 40 }
    )
    await fc.assert(
      fc.asyncProperty(given, async (records) => {
        const bench = await TaskBench.open(topology)
        await bench.task.waiting
        let timestamp = 0
        const pipe = async (key: string, stepMs: number) => {
          timestamp += stepMs
          bench.feed('in', [{ key, value: 'x', timestamp }])
          bench.task.process(1)
        }
        for (const { key, stepMs, after } of records) {
          await pipe(key, stepMs)
          if (after !== '') await bench.commit()
          if (after !== 'crash') continue
          await bench.crash()
          await bench.task.waiting
        }
        await pipe('end', 1_000)
        await bench.commit()
        for (const key of ['a', 'b']) {
          const updates = bench.output().filter((update) => update.key === key)
          const count = records.filter((record) => record.key === key).length
          expect(updates.at(-1)?.value).toBe(count === 0 ? undefined : `${count}`)
          // Each carries the time of its last record, and waited for 50 from its first.
          expect(updates.length).toBeLessThanOrEqual(1 + timestamp / 50)
          expect(new Set(updates.map(({ value }) => value)).size).toBe(updates.length)
        }
      }),
      { numRuns: 100 }
    )
  })
})
