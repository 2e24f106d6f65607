import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boolean } from '../serde/boolean.ts'
import { durableEntrySerde } from '../serde/durable-state.ts'
import { long } from '../serde/long.ts'
import { number } from '../serde/number.ts'
import { string } from '../serde/string.ts'
import { waitingListSerde } from '../serde/waiting-list.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import { RxTimers } from './rx-timers.ts'

const definitions = [
  { name: 'states', kind: 'key-value', key: string(), value: durableEntrySerde(string(), number()), named: false },
  { name: 'timers', kind: 'key-value', key: long(), value: waitingListSerde(string(), [boolean()]), named: false }
] as const

/** Timers over an engine, as a task has them that begins. */
async function begin(engine: MemoryEngine) {
  const stores = await TaskStores.open({ definitions, engine, cacheEntries: 0 })
  return { stores, timers: new RxTimers(stores.keyValue('states'), stores.keyValue('timers')) }
}

type Task = Awaited<ReturnType<typeof begin>>

async function commit({ stores, timers }: Task): Promise<void> {
  timers.flush()
  await stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
}

/** What stands, in the order in which it was set. */
type Standing = readonly { readonly key: string; readonly atMs: number }[]

/** One key in three is set again when its timer goes off, for the same time, and one in three for a later one. */
function againAt(key: string, atMs: number, firstTime: boolean): number | undefined {
  const kind = Number(key.slice(1)) % 3
  if (!firstTime || kind === 0) return undefined
  return kind === 1 ? atMs : atMs + 2
}

/** All that goes off before a time, as the timers do it and as a list does it. */
function goOff({ timers }: Task, standing: Standing, nowMs: number): Standing {
  const came: string[] = []
  const again = new Set<string>()
  timers.before(nowMs, (key, atMs) => {
    came.push(`${key}@${atMs}`)
    timers.unset(key, atMs)
    const laterMs = againAt(String(key), atMs, !again.has(String(key)))
    again.add(String(key))
    if (laterMs !== undefined) timers.set(key, {}, { atMs: laterMs, nowMs: atMs })
  })
  const expected: string[] = []
  const expectedAgain = new Set<string>()
  let left = [...standing]
  for (;;) {
    const [next] = left.filter(({ atMs }) => atMs < nowMs).sort((one, other) => one.atMs - other.atMs)
    if (next === undefined) break
    left = left.filter((timer) => timer !== next)
    expected.push(`${next.key}@${next.atMs}`)
    const laterMs = againAt(next.key, next.atMs, !expectedAgain.has(next.key))
    expectedAgain.add(next.key)
    if (laterMs !== undefined) left.push({ key: next.key, atMs: laterMs })
  }
  expect(came).toEqual(expected)
  return left
}

function set({ timers }: Task, standing: Standing, { key, atMs }: Standing[number]): Standing {
  if (standing.some((timer) => timer.key === key)) return standing
  timers.set(key, {}, { atMs, nowMs: 0 })
  return [...standing, { key, atMs }]
}

const timer = fc.record({ key: fc.nat(9).map((i) => `k${i}`), atMs: fc.nat(12) })
const step = fc.oneof(
  { weight: 6, arbitrary: timer.map((timer) => ({ do: 'set' as const, timer })) },
  { weight: 2, arbitrary: fc.nat(14).map((nowMs) => ({ do: 'go' as const, nowMs })) },
  { weight: 2, arbitrary: fc.constant({ do: 'commit' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'crash' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('undo' as const), timers: fc.array(timer), nowMs: fc.nat(14) })
  }
)

describe('timers', () => {
  it('go off by time and then in the order they were set, through commits, crashes and what is taken back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const engine = new MemoryEngine()
        let task = await begin(engine)
        let standing: Standing = []
        let committed: Standing = []
        for (const one of steps) {
          if (one.do === 'set') standing = set(task, standing, one.timer)
          else if (one.do === 'go') standing = goOff(task, standing, one.nowMs)
          else if (one.do === 'commit') {
            await commit(task)
            committed = standing
          } else if (one.do === 'crash') {
            task = await begin(engine)
            standing = committed
          } else {
            task.stores.mark()
            task.timers.mark()
            const changed = one.timers.reduce((all, timer) => set(task, all, timer), standing)
            goOff(task, changed, one.nowMs)
            task.stores.rollback()
            task.timers.rollback()
          }
        }
        expect(goOff(task, standing, 100)).toEqual([])
      }),
      { numRuns: 300 }
    )
  })
})
