import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { hopping } from '../dsl/windows.ts'
import type { EmitMode } from '../graph/node.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { type BenchRecord, TaskBench } from '../testing/task-bench.ts'

const text = { key: string(), value: string() }
const record = (value: string, timestamp: number, key: string | null = 'k'): BenchRecord => ({ key, value, timestamp })

const passing = defineTopology('passing', (builder) => {
  builder.stream(['a', 'b'], text).to('out')
})

describe('a task', () => {
  it('takes the record with the lowest timestamp, and of each partition the next one', async () => {
    const bench = await TaskBench.open(passing)
    bench.feed('a', [record('a1', 10), record('a2', 5), record('a3', 30)])
    bench.feed('b', [record('b1', 7), record('b2', 20)])
    expect(bench.task.process(100)).toBe(5)
    await bench.commit()
    expect(bench.output().map(({ value }) => value)).toEqual(['b1', 'a1', 'a2', 'b2', 'a3'])
  })

  it('processes no more than it is asked to, and knows what is left', async () => {
    const bench = await TaskBench.open(passing)
    bench.feed('a', [record('a1', 1), record('a2', 2), record('a3', 3)])
    expect(bench.task.process(2)).toBe(2)
    expect([bench.task.buffered(), bench.task.buffered('a'), bench.task.buffered('b')]).toEqual([1, 1, 0])
    expect(bench.task.consumedOffsets()).toMatchObject([{ topic: 'a', partition: 0, offset: 2 }])
    expect(bench.task.process(2)).toBe(1)
    expect(bench.task.process(2)).toBe(0)
  })

  it('extracts timestamps with the time of the partition so far, and drops negative ones', async () => {
    const seen: number[] = []
    const topology = defineTopology('extracting', (builder) => {
      const timestamp = (value: { at: number }, _record: unknown, partitionTimeMs: number) => {
        seen.push(partitionTimeMs)
        return value.at
      }
      builder.stream('in', { key: string(), value: json<{ at: number }>(), timestamp }).to('out')
    })
    const bench = await TaskBench.open(topology)
    bench.feed('in', [record('{"at":50}', 1), record('{"at":-1}', 1), record('{"at":20}', 1), record('{"at":60}', 1)])
    expect(bench.task.process(100)).toBe(3)
    await bench.commit()
    expect(seen).toEqual([-1, 50, 50, 50])
    expect(bench.output().map(({ timestamp }) => timestamp)).toEqual([50, 20, 60])
    expect(bench.task.dropped().map(({ counts }) => counts['negative-timestamp'])).toContain(1)
    expect(bench.task.consumedOffsets()).toMatchObject([{ offset: 4 }])
  })

  it('refuses timestamps that are not whole milliseconds', async () => {
    const topology = defineTopology('extracting', (builder) => {
      builder.stream('in', { ...text, timestamp: (value) => Number(value) }).to('out')
    })
    for (const value of ['soon', '1.5', 'Infinity']) {
      const bench = await TaskBench.open(topology)
      bench.feed('in', [record(value, 1)])
      expect(() => bench.task.process(1)).toThrow(
        expect.objectContaining({ code: 'STREAMS_PROCESSING', node: 'in-source' })
      )
    }
  })

  it('refuses batches of a topic it does not read', async () => {
    const bench = await TaskBench.open(passing)
    expect(() => bench.feed('c', [record('x', 1)])).toThrow(/task 0_0 does not read topic c/)
  })
})

const window = hopping({ size: 10, advance: 5, grace: 5 })

function counting(emit: EmitMode) {
  return defineTopology('counting', (builder) => {
    const counts = builder.stream('in', text).groupByKey().windowedBy(window).count({ emit, store: 'counts' })
    counts.toStream().mapValues(String, { value: string() }).to('out')
  })
}

type Step = BenchRecord | 'commit' | 'crash'

/** Runs records, and what the last commit made of them: outputs, what is in the store, what was late. */
async function run(emit: EmitMode, steps: readonly Step[]) {
  const bench = await TaskBench.open(counting(emit))
  for (const step of steps) {
    if (step === 'crash') await bench.crash()
    else if (step === 'commit') await bench.commit()
    else bench.feed('in', [step])
    bench.task.process(1_000)
  }
  await bench.commit()
  const state: unknown[] = []
  for await (const page of bench.stores.committed('counts').all()) state.push(...page)
  return { output: bench.output(), state, time: bench.task.timeState() }
}

const steps = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.nat(40)) },
      { weight: 2, arbitrary: fc.constant('commit' as const) },
      { weight: 1, arbitrary: fc.constant('crash' as const) }
    ),
    { maxLength: 40 }
  )
  .map((raw) => raw.map((step, i): Step => (typeof step === 'string' ? step : record('x', i * 3 + step[1], step[0]))))

describe('commits and crashes', () => {
  it.each<EmitMode>(['changes', 'commit', 'final'])('a crash changes nothing that is committed (%s)', async (emit) => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const undisturbed = all.filter((step) => step !== 'crash')
        expect(await run(emit, all)).toEqual(await run(emit, undisturbed))
      }),
      { numRuns: 80 }
    )
  })

  it('when commits happen changes neither which windows have a final result nor what it is', async () => {
    const sorted = ({ output }: Awaited<ReturnType<typeof run>>) => output.map((sent) => JSON.stringify(sent)).sort()
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const records = all.filter((step) => typeof step !== 'string')
        const every = records.flatMap((step): Step[] => [step, 'commit'])
        expect(sorted(await run('final', all))).toEqual(sorted(await run('final', every)))
      }),
      { numRuns: 80 }
    )
  })
})
