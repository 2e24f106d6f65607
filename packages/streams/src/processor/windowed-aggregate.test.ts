import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { hopping } from '../dsl/windows.ts'
import type { EmitMode, TimeWindows } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { type Windowed, windowed } from '../serde/windowed.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

type Click = readonly [key: string | null, timestamp: number]
type Result = readonly [key: string, value: number | null, timestamp: number]

function counting(window: TimeWindows, emit: EmitMode): Topology {
  return defineTopology('counting', (builder) => {
    const stream = builder.stream('in', { key: string(), value: string() })
    stream.groupByKey().windowedBy(window).count({ store: 'counts', emit }).toStream().to('out')
  })
}

/** What comes out after each click. */
async function run(topology: Topology, clicks: readonly Click[]): Promise<{ results: Result[][]; late: number }> {
  const driver = await TopologyTestDriver.open(topology)
  const input = driver.input<string, string>('in')
  const output = driver.output<Windowed<string>, number>('out')
  const results: Result[][] = []
  for (const [key, timestamp] of clicks) {
    await input.pipe(key, 'click', timestamp)
    results.push(output.readAll().map((record): Result => [String(record.key), record.value, record.timestamp]))
  }
  const late = driver.dropped('late')
  await driver.close()
  return { results, late }
}

/** The same by other means: all windows that contain a click, each judged on its own. */
function oracle({ sizeMs, advanceMs, graceMs }: TimeWindows, clicks: readonly Click[]) {
  const state = new Map<string, { count: number; timestamp: number; startMs: number }>()
  const emitted = new Set<string>()
  const changes: Result[][] = []
  const finals: Result[][] = []
  let late = 0
  let streamTime = -1
  for (const [key, timestamp] of clicks) {
    const updates: Result[] = []
    if (key !== null) {
      streamTime = Math.max(streamTime, timestamp)
      for (let startMs = 0; startMs <= timestamp; startMs += advanceMs) {
        if (timestamp >= startMs + sizeMs) continue
        if (startMs + sizeMs <= streamTime - graceMs) {
          late++
          continue
        }
        const id = `${key}@${startMs}/${startMs + sizeMs}`
        const old = state.get(id)
        const next = { count: (old?.count ?? 0) + 1, timestamp: Math.max(old?.timestamp ?? -1, timestamp), startMs }
        state.set(id, next)
        updates.push([id, next.count, next.timestamp])
      }
    }
    changes.push(updates)
    const closed = [...state].filter(
      ([id, { startMs }]) => startMs + sizeMs <= streamTime - graceMs && !emitted.has(id)
    )
    closed.sort(([a, left], [b, right]) => left.startMs - right.startMs || (a < b ? -1 : 1))
    for (const [id] of closed) emitted.add(id)
    finals.push(closed.map(([id, { count, timestamp }]): Result => [id, count, timestamp]))
  }
  return { changes, finals, late }
}

const windows = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 30 }))
  .map(([advance, factor, grace]) => hopping({ size: advance * factor + (factor > 1 ? 1 : 0), advance, grace }))
const clicks = fc.array(
  fc.tuple(fc.constantFrom('a', 'ab', 'b', null), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 4 })),
  { maxLength: 40 }
)
/** Time goes forward with each click, which may be up to 60 ms behind. */
const disordered = clicks.map((raw) =>
  raw.map(([key, behind, step], i): Click => [key, Math.max(0, i * step - behind)])
)

describe('windowed counts', () => {
  it('agree with an oracle on disordered input: every change, and what was late', async () => {
    await fc.assert(
      fc.asyncProperty(windows, disordered, async (window, input) => {
        const { changes, late } = oracle(window, input)
        expect(await run(counting(window, 'changes'), input)).toEqual({ results: changes, late })
      }),
      { numRuns: 60 }
    )
  })

  it('agree with the oracle on final results: each window once, when it closes, in order', async () => {
    await fc.assert(
      fc.asyncProperty(windows, disordered, async (window, input) => {
        const { finals, late } = oracle(window, input)
        expect(await run(counting(window, 'final'), input)).toEqual({ results: finals, late })
      }),
      { numRuns: 60 }
    )
  })

  it('emit the same at a commit after every record as with every change', async () => {
    const input: Click[] = [
      ['a', 5],
      ['b', 12],
      ['a', 3],
      ['a', 40],
      ['b', 2],
      [null, 90],
      ['a', 44]
    ]
    const window = hopping({ size: 10, advance: 5, grace: 20 })
    expect(await run(counting(window, 'commit'), input)).toEqual(await run(counting(window, 'changes'), input))
  })

  it("write Kafka's bytes: windowed keys and longs", async () => {
    const driver = await TopologyTestDriver.open(counting(hopping({ size: 10, advance: 10 }), 'changes'))
    await driver.input<string, string>('in').pipe('a', 'x', 25)
    const [record] = driver.output('out', { key: windowed(string(), 10), value: long() }).readAll()
    expect(record).toMatchObject({ key: { key: 'a', startMs: 20, endMs: 30 }, value: 1, timestamp: 25 })
  })

  it('keep a window for queries until its retention has passed', async () => {
    const driver = await TopologyTestDriver.open(counting(hopping({ size: 10, advance: 10 }), 'commit'))
    const input = driver.input<string, string>('in')
    const store = driver.store<string, number>('counts')
    await input.pipe('a', 'x', 5)
    await input.pipe('b', 'x', 1_000)
    expect(store.get('b', 1_000)).toEqual({ value: 1, timestamp: 1_000 })
    await input.pipe('b', 'x', 1_001)
    expect(store.get('a', 0)).toBeUndefined()
    expect(await store.all()).toEqual([{ key: 'b', windowStartMs: 1_000, value: 2, timestamp: 1_001 }])
  })
})
