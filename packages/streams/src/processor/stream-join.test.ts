import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { string } from '../serde/string.ts'
import { skip } from '../task/error-policy.ts'
import { TaskBench } from '../testing/task-bench.ts'

const text = { key: string(), value: string() }
const WITHIN_MS = 20
/** Of one side: how far back the other one may look. */
const KEPT_MS = 2 * WITHIN_MS

/** Joins; a left record whose value begins with `bad` is refused after it was joined and kept. */
const topology = defineTopology('app', (b) => {
  const left = b.stream('left', text)
  left
    .join(b.stream('right', text), (one, other) => `${one}|${other}`, { within: WITHIN_MS, value: string() })
    .to('out')
  left
    .peek((value) => {
      if (value.startsWith('bad')) throw new RangeError(value)
    })
    .to('seen')
})

type Side = 'left' | 'right'

/** What is kept of one side. */
interface KeptSide {
  observedMs: number
  records: readonly { readonly key: string; readonly value: string; readonly timestamp: number }[]
}

/** The join, by looking at all there ever was. */
class JoinModel {
  readonly results: string[] = []
  #sides: Record<Side, KeptSide> = { left: { observedMs: -1, records: [] }, right: { observedMs: -1, records: [] } }

  add(side: Side, record: { readonly key: string; readonly value: string; readonly timestamp: number }): void {
    const { key, value, timestamp } = record
    if (value.startsWith('bad')) return
    const { observedMs, records } = this.#sides[side === 'left' ? 'right' : 'left']
    const matches = records
      .filter((other) => other.key === key && Math.abs(other.timestamp - timestamp) <= WITHIN_MS)
      .filter((other) => other.timestamp > observedMs - KEPT_MS)
      .toSorted((one, other) => one.timestamp - other.timestamp)
    for (const match of matches) {
      this.results.push(side === 'left' ? `${value}|${match.value}` : `${match.value}|${value}`)
    }
    const own = this.#sides[side]
    this.#sides[side] = { observedMs: Math.max(own.observedMs, timestamp), records: [...own.records, record] }
  }
}

const record = fc.record({
  side: fc.constantFrom('left' as const, 'right' as const),
  key: fc.constantFrom('a', 'b'),
  isBad: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  badAheadMs: fc.constantFrom(0, 5_000),
  stepMs: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -60, max: 65 }) }, fc.constantFrom(200, 1_000))
})
const steps = fc.array(
  fc.oneof({ weight: 10, arbitrary: record }, fc.constantFrom('commit' as const, 'restart' as const)),
  {
    maxLength: 150,
    size: 'max'
  }
)

describe('a join of two streams', () => {
  it('finds what is kept, whatever was refused or given up between two commits, and after a restart', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (made) => {
        const bench = await TaskBench.open(topology, { processing: skip() })
        const model = new JoinModel()
        let atMs = 1_000
        for (const [i, step] of made.entries()) {
          if (step === 'commit') await bench.commit()
          else if (step === 'restart') {
            await bench.commit()
            await bench.crash()
          } else {
            // A refused record may be far ahead: its time does not count.
            const timestamp = Math.max(0, atMs + step.stepMs + (step.isBad ? step.badAheadMs : 0))
            if (!step.isBad) atMs = Math.max(atMs, timestamp)
            const value = `${step.isBad && step.side === 'left' ? 'bad-' : ''}${i}`
            if (step.isBad && step.side === 'right') continue
            bench.feed(step.side, [{ key: step.key, value, timestamp }])
            while (bench.task.process(10) > 0);
            model.add(step.side, { key: step.key, value, timestamp })
          }
        }
        await bench.commit()
        const results = bench.output().filter(({ topic }) => topic === 'out')
        expect(results.map(({ value }) => value)).toEqual(model.results)
      }),
      { numRuns: 60 }
    )
  })

  it('writes nothing of what came and went between two commits', async () => {
    const bench = await TaskBench.open(topology)
    for (let i = 0; i < 1_000; i++) bench.feed('left', [{ key: `key-${i}`, value: 'here', timestamp: i }])
    while (bench.task.process(100) > 0);
    await bench.task.flush()
    const keys: string[] = []
    bench.stores.changes((_store, key) => keys.push(key.toString('utf8', 0, key.length - 12)))
    expect(keys).toContain('key-999')
    // A span of them begins before what may still be found.
    expect(keys.length).toBeLessThanOrEqual(2 * KEPT_MS)
    expect(bench.stores.bufferedBytes).toBeLessThan(1_000 * 100)
  })
})
