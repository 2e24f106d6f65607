import assert from 'node:assert/strict'
import type { ContractCase } from '@millrace/log/testing'
import type { BlobStore } from '../serde/blob-store.ts'

/** A blob store under test. */
export interface BlobStoreUnderTest {
  /** Opens the store; another one over the same data each time, unless it is gone with the process. */
  open(): BlobStore
  /** Whether another store over the same data sees what was put and synced. */
  readonly durable: boolean
}

/** What every BlobStore promises. `make` is called once per case. */
export function blobContract(make: () => BlobStoreUnderTest): readonly ContractCase[] {
  return cases.map(([name, check]) => ({ name, run: async () => check(make()) }))
}

type Check = readonly [name: string, check: (under: BlobStoreUnderTest) => Promise<void>]

const name = (digit: string) => digit.repeat(64)

const cases: readonly Check[] = [
  [
    'gives back what was put, at once and after it is on the disk, and undefined for what was not',
    async ({ open }) => {
      const store = open()
      const large = Buffer.alloc(3_000_000, 'large')
      store.put(name('a'), Buffer.from('one'))
      store.put(name('b'), Buffer.from(large))
      store.put(name('c'), Buffer.alloc(0))
      for (const synced of [false, true]) {
        if (synced) await store.synced()
        assert.deepEqual(store.get(name('a')), Buffer.from('one'))
        assert.deepEqual(store.get(name('b')), large)
        assert.deepEqual(store.get(name('c')), Buffer.alloc(0))
        assert.equal(store.get(name('d')), undefined)
      }
    }
  ],
  [
    'takes the same name again, also while it is being written',
    async ({ open }) => {
      const store = open()
      for (let round = 0; round < 3; round++) store.put(name('a'), Buffer.from('one'))
      await store.synced()
      store.put(name('a'), Buffer.from('one'))
      await store.synced()
      assert.deepEqual(store.get(name('a')), Buffer.from('one'))
      assert.deepEqual([...store.list()].length, 1)
    }
  ],
  [
    'lists what is there with its size, and removes it for good',
    async ({ open }) => {
      const store = open()
      assert.deepEqual([...store.list()], [])
      store.put(name('a'), Buffer.from('one'))
      store.put(`${'a'.repeat(63)}b`, Buffer.from('three'))
      await store.synced()
      const sizes = new Map([...store.list()].map((blob) => [blob.name, blob.sizeBytes]))
      assert.deepEqual(
        sizes,
        new Map([
          [name('a'), 3],
          [`${'a'.repeat(63)}b`, 5]
        ])
      )
      for (const { putAtMs } of store.list()) assert.ok(Number.isFinite(putAtMs))
      store.remove(name('a'))
      store.remove(name('a'))
      assert.equal(store.get(name('a')), undefined)
      assert.deepEqual([...store.list()].length, 1)
      store.put(name('a'), Buffer.from('one'))
      await store.synced()
      assert.deepEqual(store.get(name('a')), Buffer.from('one'))
    }
  ],
  [
    'is there for another store over the same data once it is synced',
    async ({ open, durable }) => {
      if (!durable) return
      const store = open()
      store.put(name('a'), Buffer.from('one'))
      await store.synced()
      assert.deepEqual(open().get(name('a')), Buffer.from('one'))
    }
  ]
]
