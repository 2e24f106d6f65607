import { expect, it } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { string } from '../serde/string.ts'
import { MemoryEngine } from './memory-engine.ts'
import { TaskStores } from './task-stores.ts'

const text = string()
const definition: StoreDefinition = { name: 's', kind: 'key-value', key: text, value: text, named: true }

/** An engine that counts what is read of its keys. */
function watchedEngine() {
  const engine = new MemoryEngine()
  const get = engine.get.bind(engine)
  const watched = { engine, reads: 0 }
  engine.get = (key) => {
    watched.reads++
    return get(key)
  }
  return watched
}

const cacheEntries = 100
const open = (engine: MemoryEngine) => TaskStores.open({ definitions: [definition], engine, cacheEntries })
const commit = (stores: TaskStores) => stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })

async function filled(keys: number) {
  const watched = watchedEngine()
  const stores = await open(watched.engine)
  const store = stores.keyValue('s')
  for (let i = 0; i < keys; i++) store.put(`key-${i}`, 'here', 0)
  const readsOf = (key: string, expected: unknown) => {
    const before = watched.reads
    expect(store.get(key)?.value).toBe(expected)
    return watched.reads - before
  }
  return { engine: watched.engine, stores, store, readsOf }
}

it('a store that began empty does not ask its engine for what it never had', async () => {
  const { stores, readsOf } = await filled(50)
  expect(readsOf('other', undefined)).toBe(0)
  await commit(stores)
  expect(readsOf('another', undefined)).toBe(0)
  expect(readsOf('key-7', 'here')).toBe(0)
})

it('a store that has dropped something from memory asks its engine', async () => {
  const { stores, readsOf } = await filled(1_000)
  await commit(stores)
  expect(readsOf('other', undefined)).toBe(1)
  for (let i = 0; i < 1_000; i++) readsOf(`key-${i}`, 'here')
})

it('a store whose changes were discarded, or that was restored or opened again, asks its engine', async () => {
  const discarded = await filled(10)
  await commit(discarded.stores)
  await discarded.stores.discard()
  expect(discarded.readsOf('key-7', 'here')).toBe(1)

  const restored = await filled(0)
  const record = { key: Buffer.from('key'), value: Buffer.from('restored'), timestamp: 0 }
  await restored.stores.restore('s', [record], { offset: 1, leaderEpoch: 0 })
  expect(restored.readsOf('key', 'restored')).toBe(1)

  const before = await filled(10)
  await commit(before.stores)
  const again = await open(before.engine)
  expect(again.keyValue('s').get('key-7')?.value).toBe('here')
})

it('what a record put is absent again once it is taken back, without a question', async () => {
  const { stores, store, readsOf } = await filled(0)
  stores.mark()
  store.put('key', 'here', 0)
  stores.rollback()
  expect(readsOf('key', undefined)).toBe(0)
})
