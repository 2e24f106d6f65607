import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { type WaitingRecord, waitingListSerde } from '../serde/waiting-list.ts'
import { MemoryEngine } from './memory-engine.ts'
import { TaskStores } from './task-stores.ts'
import { TimeBuffer } from './time-buffer.ts'

const definition = {
  name: 'waiting',
  kind: 'key-value',
  key: long(),
  value: waitingListSerde(string(), [string()]),
  named: false
} as const

const waiting = (key: string): WaitingRecord => ({ side: 0, key, value: `v${key}`, headers: [] })
const open = async (engine = new MemoryEngine()) => {
  const stores = await TaskStores.open({ definitions: [definition], engine, cacheEntries: 0 })
  return { stores, buffer: new TimeBuffer(stores.keyValue('waiting')) }
}
const commit = (stores: TaskStores) => stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })

/** Times that lie close, and far apart. */
const times = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 }))
const operations = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('set' as const), at: times, keys: fc.array(fc.string(), { maxLength: 3 }) }),
    fc.record({ do: fc.constant('next' as const), at: times }),
    fc.record({ do: fc.constant('undo' as const), at: times }),
    fc.record({ do: fc.constant('commit' as const) })
  ),
  { maxLength: 40 }
)

describe('a time buffer', () => {
  it('finds the next timestamp like a sorted map, through commits and what is taken back', async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (steps) => {
        const { stores, buffer } = await open()
        const model = new Map<number, string[]>()
        const next = (from: number) => [...model.keys()].sort((a, b) => a - b).find((at) => at >= from)
        for (const step of steps) {
          if (step.do === 'commit') await commit(stores)
          else if (step.do === 'next') expect(buffer.next(step.at)).toBe(next(step.at))
          else if (step.do === 'undo') {
            stores.mark()
            buffer.set(step.at, model.has(step.at) ? [] : [waiting('gone')])
            stores.rollback()
            buffer.rollback()
          } else {
            buffer.set(step.at, step.keys.map(waiting))
            if (step.keys.length === 0) model.delete(step.at)
            else model.set(step.at, step.keys)
          }
        }
        for (const [at, keys] of model) expect(buffer.at(at)).toEqual(keys.map(waiting))
        expect(buffer.next(0)).toBe(next(0))
      }),
      { numRuns: 150 }
    )
  })

  it('is found again, with its note, by whoever opens the engine after', async () => {
    const engine = new MemoryEngine()
    const { stores, buffer } = await open(engine)
    const record: WaitingRecord = {
      side: 0,
      key: 'k',
      value: 'v',
      headers: [
        { key: 'trace', value: Buffer.from('1') },
        { key: 'none', value: null }
      ]
    }
    buffer.set(1_700_000_000_123, [record])
    buffer.noteMs = 1_700_000_000_000
    await commit(stores)
    const again = await open(engine)
    expect(again.buffer.next(0)).toBe(1_700_000_000_123)
    expect(again.buffer.at(1_700_000_000_123)).toEqual([record])
    expect(again.buffer.noteMs).toBe(1_700_000_000_000)
  })

  it('leaves nothing behind when it is empty', async () => {
    const { stores, buffer } = await open()
    for (const at of [0, 31, 32, 1_000_000_000_000]) buffer.set(at, [waiting('a')])
    for (const at of [0, 31, 32, 1_000_000_000_000]) buffer.set(at, [])
    expect(buffer.next(0)).toBeUndefined()
    await commit(stores)
    const pages = []
    for await (const page of stores.committed('waiting').all()) pages.push(...page)
    expect(pages).toEqual([])
  })
})
