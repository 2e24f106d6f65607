import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { sessions } from '../dsl/windows.ts'
import type { EmitMode, SessionWindows } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import { string } from '../serde/string.ts'
import { Windowed } from '../serde/windowed.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

type Click = readonly [key: string | null, timestamp: number]
type Result = readonly [key: string, value: string | null, timestamp: number]

interface Session {
  readonly startMs: number
  readonly endMs: number
  readonly value: string
}

function listing(window: SessionWindows, emit: EmitMode): Topology {
  return defineTopology('listing', (builder) => {
    builder
      .stream('in', { key: string(), value: string() })
      .groupByKey()
      .windowedBy(window)
      .aggregate(
        () => '',
        (value, list) => list + value,
        (left, right) => left + right,
        { store: 'lists', emit, value: string() }
      )
      .toStream()
      .map((value, { key }): [string, string | null] => [String(key), value], { key: string(), value: string() })
      .to('out')
  })
}

/** Sessions by other means: a list per key, searched from end to end. */
class Oracle {
  readonly #window: SessionWindows
  readonly #sessions = new Map<string, Session[]>()
  readonly #emitted = new Set<string>()
  #timeMs = -1
  late = 0

  constructor(window: SessionWindows) {
    this.#window = window
  }

  click(key: string | null, value: string, timestamp: number): Result[] {
    if (key === null) return []
    const { gapMs, graceMs } = this.#window
    // What was closed before this record is joined no more.
    const open = this.#timeMs - gapMs - graceMs
    this.#timeMs = Math.max(this.#timeMs, timestamp)
    const all = this.#sessions.get(key) ?? []
    const joined = all
      .filter(({ startMs, endMs }) => endMs >= open && endMs >= timestamp - gapMs && startMs <= timestamp + gapMs)
      .sort((a, b) => a.endMs - b.endMs || a.startMs - b.startMs)
    const startMs = Math.min(timestamp, ...joined.map((session) => session.startMs))
    const endMs = Math.max(timestamp, ...joined.map((session) => session.endMs))
    if (endMs < this.#timeMs - gapMs - graceMs) {
      this.late++
      return []
    }
    const next = { startMs, endMs, value: joined.map((session) => session.value).join('') + value }
    this.#sessions.set(key, [...all.filter((session) => !joined.includes(session)), next])
    const gone = startMs === endMs ? [] : joined
    return [
      ...gone.map((session): Result => [idOf(key, session), null, session.endMs]),
      [idOf(key, next), next.value, endMs]
    ]
  }

  /** What closed since the last time. */
  closed(): Result[] {
    const { gapMs, graceMs } = this.#window
    return [...this.#sessions]
      .flatMap(([key, list]) => list.map((session) => ({ key, ...session })))
      .filter((session) => session.endMs < this.#timeMs - gapMs - graceMs)
      .sort((a, b) => a.endMs - b.endMs || a.startMs - b.startMs || (a.key < b.key ? -1 : 1))
      .map((session): Result => [idOf(session.key, session), session.value, session.endMs])
      .filter(([id]) => !this.#emitted.has(id) && this.#emitted.add(id))
  }
}

function idOf(key: string, { startMs, endMs }: { readonly startMs: number; readonly endMs: number }): string {
  return String(new Windowed(key, startMs, endMs))
}

const windows = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 8 }))
  .map(([gap, grace]) => sessions({ gap, grace }))
/** Dense, so that times meet the edges of windows: each click is up to 20 ms behind the latest one or up to 5 ms ahead; now and then far ahead. */
const clicks = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'a', 'b', null),
      fc.oneof({ weight: 12, arbitrary: fc.integer({ min: -20, max: 5 }) }, { weight: 1, arbitrary: fc.constant(60) })
    ),
    { maxLength: 50 }
  )
  .map((raw) => {
    let latestMs = 20
    return raw.map(([key, step]): Click => {
      const timestamp = Math.max(0, latestMs + step)
      latestMs = Math.max(latestMs, timestamp)
      return [key, timestamp]
    })
  })

async function run(topology: Topology, input: readonly Click[]): Promise<{ results: Result[][]; late: number }> {
  const driver = await TopologyTestDriver.open(topology)
  const output = driver.output<string, string>('out')
  const results: Result[][] = []
  for (const [i, [key, timestamp]] of input.entries()) {
    await driver.input<string, string>('in').pipe(key, nameOf(i), timestamp)
    results.push(output.readAll().map((record): Result => [record.key ?? '', record.value, record.timestamp]))
  }
  const late = driver.dropped('late')
  await driver.close()
  return { results, late }
}

function nameOf(i: number): string {
  return String.fromCharCode(65 + (i % 26))
}

/** One task with a commit or a crash after some records; `steps` says what follows each record. */
async function runWithCrashes(
  topology: Topology,
  input: readonly Click[],
  steps: readonly string[]
): Promise<Result[]> {
  const bench = await TaskBench.open(topology)
  for (const [i, [key, timestamp]] of input.entries()) {
    bench.feed('in', [{ key, value: nameOf(i), timestamp }])
    while (bench.task.process(10) > 0);
    const step = steps[i % steps.length]
    if (step === 'commit') await bench.commit()
    if (step !== 'crash') continue
    await bench.crash()
    while (bench.task.process(10) > 0);
  }
  await bench.commit()
  return bench.output().map(({ key, value, timestamp }): Result => [key ?? '', value, timestamp])
}

/** The last result of each session; those that were deleted are left out. */
function lastOf(results: readonly Result[]): Result[] {
  const last = new Map(results.map((result) => [result[0], result]))
  return [...last.values()].filter(([, value]) => value !== null).sort()
}

const steps = fc.array(fc.constantFrom('commit', 'crash', 'on'), { minLength: 1, maxLength: 6 })

describe('session aggregates', () => {
  it('agree with an oracle on disordered input: every change in order, and what was late', async () => {
    await fc.assert(
      fc.asyncProperty(windows, clicks, async (window, input) => {
        const oracle = new Oracle(window)
        const results = input.map(([key, timestamp], i) => oracle.click(key, nameOf(i), timestamp))
        expect(await run(listing(window, 'changes'), input)).toEqual({ results, late: oracle.late })
      }),
      { numRuns: 200 }
    )
  })

  it('agree with the oracle on final results: each session once, when it closes, in order', async () => {
    await fc.assert(
      fc.asyncProperty(windows, clicks, async (window, input) => {
        const oracle = new Oracle(window)
        const results = input.map(([key, timestamp], i) => {
          oracle.click(key, nameOf(i), timestamp)
          return oracle.closed()
        })
        expect(await run(listing(window, 'final'), input)).toEqual({ results, late: oracle.late })
      }),
      { numRuns: 200 }
    )
  })

  it('are the same whatever is committed and wherever it crashes', async () => {
    await fc.assert(
      fc.asyncProperty(windows, clicks, steps, async (window, input, after) => {
        const oracle = new Oracle(window)
        const changes = input.flatMap(([key, timestamp], i) => oracle.click(key, nameOf(i), timestamp))
        expect(await runWithCrashes(listing(window, 'changes'), input, after)).toEqual(changes)
        expect(lastOf(await runWithCrashes(listing(window, 'commit'), input, after))).toEqual(lastOf(changes))
      }),
      { numRuns: 100 }
    )
  })

  it('come out once when final, whatever is committed and wherever it crashes', async () => {
    await fc.assert(
      fc.asyncProperty(windows, clicks, steps, async (window, input, after) => {
        const oracle = new Oracle(window)
        const finals = input.flatMap(([key, timestamp], i) => {
          oracle.click(key, nameOf(i), timestamp)
          return oracle.closed()
        })
        const came = await runWithCrashes(listing(window, 'final'), input, after)
        expect([...came].sort()).toEqual([...finals].sort())
      }),
      { numRuns: 100 }
    )
  })

  it('can be found by key and time, and are gone from the store after their retention', async () => {
    const driver = await TopologyTestDriver.open(listing(sessions({ gap: 10, grace: 20 }), 'commit'))
    const input = driver.input<string, string>('in')
    const store = driver.store<string, string>('lists')
    const clicksOf: Click[] = [
      ['a', 0],
      ['a', 8],
      ['b', 9],
      ['a', 19],
      ['a', 25]
    ]
    for (const [i, [key, timestamp]] of clicksOf.entries()) await input.pipe(key, nameOf(i), timestamp)
    const older = { key: 'a', windowStartMs: 0, windowEndMs: 8, value: 'AB', timestamp: 8 }
    const newer = { key: 'a', windowStartMs: 19, windowEndMs: 25, value: 'DE', timestamp: 25 }
    expect(await store.findSessions('a', 0, 100)).toEqual([older, newer])
    expect(await store.findSessions('a', 9, 100)).toEqual([newer])
    expect(await store.findSessions('a', 0, 18)).toEqual([older])
    expect(await store.fetch('a', 0, 8)).toEqual([older])
    expect(store.getSession('a', { startMs: 19, endMs: 25 })).toEqual({ value: 'DE', timestamp: 25 })
    expect((await store.all()).map(({ key, windowEndMs }) => [key, windowEndMs])).toEqual([
      ['a', 8],
      ['b', 9],
      ['a', 25]
    ])
    await input.pipe('c', 'x', 500)
    await input.pipe('c', 'x', 501)
    expect((await store.all()).map(({ key }) => key)).toEqual(['c'])
    expect(await store.findSessions('a', 0, 1_000)).toEqual([])
    await driver.close()
  })
})
