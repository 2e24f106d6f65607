import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { sliding } from '../dsl/windows.ts'
import type { EmitMode, SlidingWindows } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import { string } from '../serde/string.ts'
import { Windowed } from '../serde/windowed.ts'
import { TaskBench } from '../testing/task-bench.ts'

type Click = readonly [key: string | null, timestamp: number]
type Result = readonly [key: string, value: string | null, timestamp: number]

function counting(window: SlidingWindows, emit: EmitMode): Topology {
  return defineTopology('counting', (builder) => {
    builder
      .stream('in', { key: string(), value: string() })
      .groupByKey()
      .windowedBy(window)
      .count({ store: 'counts', emit })
      .toStream()
      .map((value, { key }): [string, string] => [String(key), String(value)], { key: string(), value: string() })
      .to('out')
  })
}

/** The windows of all records, by their definition: those that end at one, those that begin after one and are not empty. */
function windowsOf({ differenceMs }: SlidingWindows, input: readonly Click[]): Result[] {
  const results: Result[] = []
  for (const key of new Set(input.flatMap(([key]) => (key === null ? [] : [key])))) {
    const times = input.flatMap(([other, timestamp]) => (other === key ? [timestamp] : []))
    const starts = new Set(times.flatMap((time) => [Math.max(0, time - differenceMs), time + 1]))
    for (const startMs of starts) {
      const inside = times.filter((time) => time >= startMs && time <= startMs + differenceMs)
      if (inside.length === 0) continue
      const id = String(new Windowed(key, startMs, startMs + differenceMs))
      results.push([id, String(inside.length), Math.max(...inside)])
    }
  }
  return results.sort()
}

/** One task with a commit or a crash after some records; `steps` says what follows each record. */
async function run(topology: Topology, input: readonly Click[], steps: readonly string[]): Promise<Result[]> {
  const bench = await TaskBench.open(topology)
  for (const [i, [key, timestamp]] of input.entries()) {
    bench.feed('in', [{ key, value: 'click', timestamp }])
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

function lastOf(results: readonly Result[]): Result[] {
  return [...new Map(results.map((result) => [result[0], result])).values()].sort()
}

const differences = fc.integer({ min: 0, max: 8 })
const steps = fc.array(fc.constantFrom('commit', 'crash', 'on'), { minLength: 1, maxLength: 6 })
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

describe('sliding windows', () => {
  it('are those of all records, whatever their order, where the grace is long enough', async () => {
    await fc.assert(
      fc.asyncProperty(differences, clicks, steps, async (difference, input, after) => {
        const window = sliding({ difference, grace: 1_000 })
        const expected = windowsOf(window, input)
        expect(lastOf(await run(counting(window, 'changes'), input, after))).toEqual(expected)
        expect(lastOf(await run(counting(window, 'commit'), input, after))).toEqual(expected)
      }),
      { numRuns: 150 }
    )
  })

  it('come out once when final, by their end, as their last change was', async () => {
    await fc.assert(
      fc.asyncProperty(
        differences,
        fc.integer({ min: 0, max: 12 }),
        clicks,
        steps,
        async (difference, grace, raw, after) => {
          const window = sliding({ difference, grace })
          const input: Click[] = [...raw, ['end', 10_000]]
          const changes = lastOf(await run(counting(window, 'changes'), input, after))
          const finals = await run(counting(window, 'final'), input, after)
          const ended = changes.filter(([id]) => !id.startsWith('end@'))
          expect([...finals].sort()).toEqual(ended)
        }
      ),
      { numRuns: 150 }
    )
  })

  it('change in the same way whatever is committed and wherever it crashes', async () => {
    await fc.assert(
      fc.asyncProperty(
        differences,
        fc.integer({ min: 0, max: 12 }),
        clicks,
        steps,
        async (difference, grace, input, after) => {
          const topology = counting(sliding({ difference, grace }), 'changes')
          expect(await run(topology, input, after)).toEqual(await run(topology, input, ['on']))
        }
      ),
      { numRuns: 100 }
    )
  })
})
