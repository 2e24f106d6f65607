import { describe, expect, it } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { string } from '../serde/string.ts'
import { MemoryEngine } from './memory-engine.ts'
import type { RestoredRecord } from './task-store.ts'
import { TaskStores } from './task-stores.ts'

const rows: StoreDefinition = { name: 'rows', kind: 'key-value', key: string(), value: string(), named: true }
const living: StoreDefinition = { ...rows, ttlMs: 10 }

async function commit(stores: TaskStores, nowMs: number): Promise<void> {
  await stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs })
}

async function keysBefore(stores: TaskStores, toMs: number): Promise<unknown[]> {
  const keys: unknown[] = []
  for await (const page of stores.rowsBefore('rows', toMs)) keys.push(...page.map(({ key }) => key))
  return keys
}

describe('the index of a store whose rows expire', () => {
  it('is made when the store is there already, and made anew when it was without it for a while', async () => {
    const engine = new MemoryEngine()
    const without = await TaskStores.open({ definitions: [rows], engine })
    for (const [key, timestamp] of [
      ['c', 3],
      ['a', 1],
      ['b', 2]
    ] as const)
      without.keyValue('rows').put(key, 'x', timestamp)
    await commit(without, 100)
    const withIndex = await TaskStores.open({ definitions: [living], engine })
    expect(await keysBefore(withIndex, 3)).toEqual(['a', 'b'])
    withIndex.keyValue('rows').put('a', 'y', 9)
    expect(await keysBefore(withIndex, 99)).toEqual(['b', 'c', 'a'])
    await commit(withIndex, 200)

    const again = await TaskStores.open({ definitions: [rows], engine })
    again.keyValue('rows').put('b', null, 10)
    again.keyValue('rows').put('d', 'x', 0)
    await commit(again, 300)
    const back = await TaskStores.open({ definitions: [living], engine })
    expect(await keysBefore(back, 99)).toEqual(['d', 'c', 'a'])
  })

  it('follows from the changelog', async () => {
    const first = await TaskStores.open({ definitions: [living], engine: new MemoryEngine() })
    const restored = await TaskStores.open({ definitions: [living], engine: new MemoryEngine() })
    const store = first.keyValue('rows')
    const steps = [
      () => store.put('a', 'x', 5),
      () => store.put('b', 'x', 4),
      () => store.put('a', 'y', 2),
      () => store.put('b', null, 7),
      () => store.put('c', 'x', 1)
    ]
    for (const [offset, step] of steps.entries()) {
      step()
      const records: RestoredRecord[] = []
      first.changes((_store, key, value, timestamp) =>
        records.push({ key: Buffer.from(key), value: value && Buffer.from(value), timestamp })
      )
      await commit(first, offset)
      await restored.restore('rows', records, { offset: offset + 1, leaderEpoch: 0, nowMs: offset })
      expect(await keysBefore(restored, 99)).toEqual(await keysBefore(first, 99))
    }
    expect(await keysBefore(restored, 99)).toEqual(['c', 'a'])
  })
})
