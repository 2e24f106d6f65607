import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { LateOption } from '../dsl/options.ts'
import { type Suppressed, untilTimeLimit, untilWindowCloses } from '../dsl/suppress-until.ts'
import { sessions, tumbling } from '../dsl/windows.ts'
import { describeTopology } from '../graph/describe.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Topology } from '../graph/topology.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { Windowed, windowed } from '../serde/windowed.ts'
import { skip } from '../task/error-policy.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'
import { BufferFullError } from './errors.ts'

type Update = readonly [key: string, value: string | null, timestamp: number]

const text = { key: string(), value: string() }

function limiting(until: Suppressed): Topology {
  return defineTopology('limiting', (builder) => {
    builder.table('in', text).suppress(until, { store: 'held' }).toStream().to('out')
  })
}

/** By other means: a list of held updates, looked through after every record. */
function oracle(limitMs: number, updates: readonly Update[]): Update[][] {
  let held: { key: string; value: string | null; timestamp: number; sinceMs: number }[] = []
  let timeMs = -1
  return updates.map(([key, value, timestamp]) => {
    timeMs = Math.max(timeMs, timestamp)
    const known = held.find((update) => update.key === key)
    held = held.filter((update) => update !== known)
    held.push({ key, value, timestamp, sinceMs: known?.sinceMs ?? timestamp })
    const due = held
      .filter(({ sinceMs }) => sinceMs <= timeMs - limitMs)
      .sort((a, b) => a.sinceMs - b.sinceMs || (a.key < b.key ? -1 : 1))
    held = held.filter((update) => !due.includes(update))
    return due.map((update): Update => [update.key, update.value, update.timestamp])
  })
}

const updates = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'ab', 'b'),
      fc.constantFrom('x', 'y', 'z', null),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 0, max: 14 })
    ),
    { maxLength: 40 }
  )
  .map((raw) => {
    let latestMs = 20
    return raw.map(([key, value, behind, step]): Update => {
      const timestamp = latestMs + step - behind
      latestMs = Math.max(latestMs, timestamp)
      return [key, value, timestamp]
    })
  })
const steps = fc.array(fc.constantFrom('commit', 'crash', 'on'), { minLength: 1, maxLength: 6 })

async function drive(topology: Topology, input: readonly Update[]): Promise<Update[][]> {
  const driver = await TopologyTestDriver.open(topology)
  const output = driver.output<string, string>('out')
  const results: Update[][] = []
  for (const [key, value, timestamp] of input) {
    await driver.input<string, string>('in').pipe(key, value, timestamp)
    results.push(output.readAll().map((record): Update => [record.key ?? '', record.value, record.timestamp]))
  }
  await driver.close()
  return results
}

describe('suppress until a time limit', () => {
  it('lets the last update of a key go on once the first is the limit old, as an oracle says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 20 }), updates, async (limit, input) => {
        expect(await drive(limiting(untilTimeLimit(limit)), input)).toEqual(oracle(limit, input))
      }),
      { numRuns: 80 }
    )
  })

  it('lets the same updates of a key go on, whatever is committed and wherever it crashes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 20 }), updates, steps, async (limit, input, after) => {
        const bench = await TaskBench.open(limiting(untilTimeLimit(limit)))
        for (const [i, [key, value, timestamp]] of input.entries()) {
          bench.feed('in', [{ key, value, timestamp }])
          while (bench.task.process(10) > 0);
          const step = after[i % after.length]
          if (step === 'commit') await bench.commit()
          if (step !== 'crash') continue
          await bench.crash()
          while (bench.task.process(10) > 0);
        }
        await bench.commit()
        const expected = oracle(limit, input).flat()
        for (const name of ['a', 'ab', 'b']) {
          const came = bench.output().filter(({ key }) => key === name)
          const wanted = expected.filter(([key]) => key === name)
          expect(came.map(({ value, timestamp }) => [value, timestamp])).toEqual(wanted.map(([, ...rest]) => rest))
        }
      }),
      { numRuns: 60 }
    )
  })

  it('lets the oldest go on early when the buffer holds too many records', async () => {
    const topology = limiting(untilTimeLimit('1h', { maxRecords: 2 }))
    const input: Update[] = [
      ['a', '1', 10],
      ['b', '2', 5],
      ['b', '3', 20],
      ['c', '4', 30],
      ['d', '5', 1]
    ]
    expect(await drive(topology, input)).toEqual([[], [], [], [['b', '3', 20]], [['d', '5', 1]]])
  })

  it('lets the oldest go on early when the buffer holds too many bytes', async () => {
    const topology = limiting(untilTimeLimit('1h', { maxBytes: 70 }))
    const long = 'x'.repeat(40)
    expect(
      await drive(topology, [
        ['a', long, 1],
        ['b', 'y', 2],
        ['c', 'z', 3]
      ])
    ).toEqual([[], [], [['a', long, 1]]])
  })

  it('stops when the buffer is full and that is what was asked for', async () => {
    const driver = await TopologyTestDriver.open(limiting(untilTimeLimit('1h', { maxRecords: 1, whenFull: 'stop' })))
    const input = driver.input<string, string>('in')
    await input.pipe('a', '1', 1)
    const failure = await input.pipe('b', '2', 2).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(BufferFullError)
    expect(failure).toMatchObject({ records: 2, node: 'held-suppress' })
  })
})

describe('suppress until the window closes', () => {
  it('lets one result per window go on, and no deletion', async () => {
    const topology = defineTopology('closing', (builder) => {
      builder
        .stream('in', text)
        .groupByKey()
        .windowedBy(sessions({ gap: 10, grace: 5 }))
        .reduce((value, reduced) => `${reduced}${value}`, { emit: 'changes' })
        .suppress(untilWindowCloses())
        .toStream()
        .map((value, { key }): [string, string | null] => [String(key), value], text)
        .to('out')
    })
    const input: Update[] = [
      ['a', '1', 0],
      ['a', '2', 8],
      ['a', '3', 40],
      ['b', '4', 80]
    ]
    expect(await drive(topology, input)).toEqual([[], [], [['a@0/8', '12', 8]], [['a@40/40', '3', 40]]])
  })

  const idling = (emit: 'changes' | 'commit') =>
    defineTopology('idling', (builder) => {
      builder
        .stream('in', text)
        .groupByKey()
        .windowedBy(tumbling({ size: 10, grace: 5 }))
        .reduce((value, reduced) => `${reduced}${value}`, { emit })
        .suppress(untilWindowCloses({ idle: '1s' }))
        .toStream()
        .map((value, { key }): [string, string | null] => [String(key), value], text)
        .to('out')
    })

  for (const errors of [{}, { processing: skip() }]) {
    const how = errors.processing ? 'guarded' : 'unguarded'
    it(`takes windows as closed when nothing came for a while, and drops what comes for them then: ${how}`, async () => {
      const driver = await TopologyTestDriver.open(idling('changes'), { errors })
      const input = driver.input<string, string>('in')
      const output = driver.output<string, string>('out', text)
      await input.pipe('a', '1', 3)
      await input.pipe('b', '2', 12)
      await driver.advanceWallClock(999)
      expect(output.pending).toBe(0)
      await driver.advanceWallClock(1)
      expect(output.readKeyValues()).toEqual([
        ['a@0/10', '1'],
        ['b@10/20', '2']
      ])
      await input.pipe('b', '3', 19)
      expect([output.pending, driver.dropped('late')]).toEqual([0, 1])
      await input.pipe('b', '4', 20)
      await driver.advanceWallClock(1_000)
      expect(output.readKeyValues()).toEqual([['b@20/30', '4']])
    })
  }

  it('waits with that for what the aggregation above has for the commit; a crash changes nothing', async () => {
    const bench = await TaskBench.open(idling('commit'))
    await bench.task.waiting
    const pipe = (value: string, timestamp: number) => {
      bench.feed('in', [{ key: 'a', value, timestamp }])
      bench.task.process(1)
    }
    pipe('1', 3)
    await bench.commit()
    pipe('2', 4)
    bench.clock.advance(1_000)
    expect(bench.task.punctuationDue(1_000)).toBe(true)
    bench.task.punctuate(1_000)
    expect(bench.task.commitRequested).toBe(true)
    // The update of the second record comes with the commit: so it was not idle.
    await bench.commit()
    expect(bench.output()).toEqual([])
    bench.clock.advance(1_000)
    bench.task.punctuate(2_000)
    await bench.commit()
    const results = () => bench.output().map(({ key, value }) => [key, value])
    expect(results()).toEqual([['a@0/10', '12']])
    await bench.crash()
    await bench.task.waiting
    pipe('3', 5)
    pipe('4', 40)
    await bench.commit()
    expect(results()).toEqual([['a@0/10', '12']])
    expect(bench.task.dropped().reduce((sum, { counts }) => sum + counts.late, 0)).toBe(1)
  })

  it('says what came for windows that it took as closed: to a callback, or to a topic', async () => {
    const seen: string[] = []
    const counting = (onLate: LateOption<Windowed<string>, number>) =>
      defineTopology('counting', (builder) => {
        builder
          .stream('in', text)
          .groupByKey()
          .windowedBy(tumbling({ size: 10, grace: 5 }))
          .count({ emit: 'changes' })
          .suppress(untilWindowCloses({ idle: '1s' }), { onLate })
          .toStream()
          .to('out')
      })
    const seeing = (value: number, { key, timestamp }: StreamRecord<Windowed<string>, number>) =>
      seen.push(`${key} ${value} ${timestamp}`)
    for (const onLate of [seeing, { lateTo: 'late' }]) {
      const topology = counting(onLate)
      const driver = await TopologyTestDriver.open(topology)
      const input = driver.input<string, string>('in')
      await input.pipe('a', '1', 3)
      await driver.advanceWallClock(1_000)
      await input.pipe('a', '2', 4)
      await input.pipe('a', '3', 12)
      expect([driver.output('out').readValues(), driver.dropped('late')]).toEqual([[1], 1])
      if (typeof onLate === 'function') continue
      const late = { key: windowed(string(), 10), value: long() }
      expect(driver.output('late', late).readAll()).toEqual([
        { key: new Windowed('a', 0, 10), value: 2, timestamp: 4, headers: [] }
      ])
      expect(describeTopology(topology).subtopologies[0].nodes.flatMap(({ writes }) => writes)).toEqual(['late', 'out'])
    }
    expect(seen).toEqual(['a@0/10 2 4'])
  })

  it('has nothing late unless it takes windows as closed', () => {
    for (const until of [untilWindowCloses(), untilTimeLimit('1s')]) {
      const define = () =>
        defineTopology('timely', (builder) => {
          builder
            .stream('in', text)
            .groupByKey()
            .windowedBy(tumbling({ size: 10 }))
            .count()
            .suppress(until, { onLate: { lateTo: 'late' } })
        })
      expect(define).toThrow(/onLate of suppress\(\) is for untilWindowCloses\(\{ idle \}\) only/)
    }
  })

  it('is refused where no window closes', () => {
    const define = () =>
      defineTopology('endless', (builder) => {
        builder.table('in', text).suppress(untilWindowCloses()).toStream().to('out')
      })
    expect(define).toThrow(/suppress\(untilWindowCloses\(\)\) needs a table of windows that end/)
  })

  it('says to a grouping below what a row was when it last went on', async () => {
    const topology = defineTopology('regrouped', (builder) => {
      builder
        .stream('in', text)
        .groupByKey()
        .windowedBy(tumbling({ size: 10 }))
        .reduce((value) => value, { emit: 'changes' })
        .suppress(untilWindowCloses())
        .groupBy(() => 'all')
        .count({ emit: 'changes' })
        .toStream()
        .mapValues((counted) => String(counted), { value: string() })
        .to('out')
    })
    const input: Update[] = [
      ['a', '1', 0],
      ['a', '2', 5],
      ['b', '3', 6],
      ['a', '4', 10],
      ['a', '5', 20]
    ]
    expect(await drive(topology, input)).toEqual([
      [],
      [],
      [],
      [
        ['all', '1', 5],
        ['all', '2', 6]
      ],
      [['all', '3', 10]]
    ])
  })
})
