import { describe, expect, it } from 'vitest'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import { PendingUpdates } from './pending-updates.ts'

const definitions = [
  { name: 'windows', kind: 'window', key: string(), value: json(), named: true, retentionMs: 1000 },
  { name: 'rows', kind: 'key-value', key: json(), value: json(), named: true }
] as const

const open = () => TaskStores.open({ definitions, engine: new MemoryEngine() })

const shown = (pending: PendingUpdates) => {
  const updates: unknown[] = []
  pending.take(({ key, windowStartMs }, oldValue) => updates.push([key, windowStartMs, oldValue]))
  return updates
}

describe('pending updates', () => {
  it('keep the order in which keys first changed, and the value before that', async () => {
    const store = (await open()).window('windows')
    const pending = new PendingUpdates()
    pending.note(store.put('b', 0, 'x', 0), 1)
    pending.note(store.put('a', 60, 'x', 0), undefined)
    pending.note(store.put('b', 0, 'y', 0), 2)
    pending.note(store.put('b', 60, 'x', 0), 7)
    expect(shown(pending)).toEqual([
      ['b', 0, 1],
      ['a', 60, undefined],
      ['b', 60, 7]
    ])
    expect(shown(pending)).toEqual([])
    pending.note(store.put('b', 0, 'z', 0), 'y')
    expect(shown(pending)).toEqual([['b', 0, 'y']])
  })

  it('know equal keys by their bytes where a serde has no identity', async () => {
    const store = (await open()).keyValue('rows')
    const pending = new PendingUpdates()
    pending.note(store.put({ id: 1 }, 'x', 0), 'first')
    pending.note(store.put({ id: 1 }, 'y', 0), 'second')
    expect(shown(pending)).toEqual([[{ id: 1 }, 0, 'first']])
  })

  it('forget what came since the mark, and only that', async () => {
    const stores = await open()
    const store = stores.window('windows')
    const pending = new PendingUpdates()
    const mark = () => {
      stores.mark()
      pending.mark()
    }
    mark()
    pending.note(store.put('a', 0, 'x', 0), 1)
    mark()
    pending.note(store.put('a', 0, 'y', 0), 2)
    pending.note(store.put('b', 0, 'x', 0), 3)
    stores.rollback()
    pending.rollback()
    pending.note(store.put('b', 0, 'y', 0), 4)
    expect(shown(pending)).toEqual([
      ['a', 0, 1],
      ['b', 0, 4]
    ])
  })

  it('know nothing of what the store dropped', async () => {
    const stores = await open()
    stores.expire('windows', 100)
    const pending = new PendingUpdates()
    pending.note(stores.window('windows').put('a', 99, 'x', 0), 1)
    expect(shown(pending)).toEqual([])
  })
})
