import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { buffered } from '../serde/buffered.ts'
import { json } from '../serde/json.ts'
import type { Serde } from '../serde/serde.ts'
import { string } from '../serde/string.ts'
import { MemoryEngine } from './memory-engine.ts'
import type { SessionBounds, SessionStore } from './store.ts'
import type { RestoredRecord } from './task-store.ts'
import { TaskStores } from './task-stores.ts'

const key: Serde<unknown> = string()
const value: Serde<unknown> = json()
const definitions: readonly StoreDefinition[] = [
  { name: 'sessions', kind: 'session', key, value, named: true, retentionMs: 400, indexBucketMs: 50 },
  { name: 'windows', kind: 'window', key, value, named: true, retentionMs: 400, windowSizeMs: 30, indexBucketMs: 50 },
  { name: 'held', kind: 'buffer', key, value: buffered(value), named: true }
]
const keys = ['a', 'ab']
const untilMs = 240

/** A change of one store, or what happens between changes. */
type Step =
  | readonly ['put' | 'remove' | 'grow', store: string, key: string, atMs: number, startMs: number]
  | readonly ['commit' | 'abort' | 'undone' | 'restart' | 'behind']

/** Few, so that removals find something; on both sides of the index entries' borders. */
const moments = fc.constantFrom(0, 49, 50, 130)
const change = fc.tuple(
  fc.constantFrom('put' as const, 'put' as const, 'remove' as const),
  fc.constantFrom('sessions', 'windows', 'held'),
  fc.constantFrom(...keys),
  moments,
  moments
)
/** Sessions alone grow: at both ends, or one. */
const growth = fc.tuple(
  fc.constant('grow' as const),
  fc.constant('sessions'),
  fc.constantFrom(...keys),
  moments,
  moments
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: growth },
  { weight: 8, arbitrary: change },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ['commit'] as const,
      ['commit'] as const,
      ['abort'] as const,
      ['undone'] as const,
      ['restart'] as const,
      ['behind'] as const
    )
  }
)

function apply(
  stores: TaskStores,
  [what, store, name, atMs, startMs]: readonly [string, string, string, number, number]
) {
  if (what === 'grow') return grow(stores.session(store), name, { endMs: atMs, startMs: Math.min(atMs, startMs) })
  const kept = what === 'put' ? { n: startMs } : null
  if (store === 'sessions') {
    stores.session(store).put(name, { startMs: Math.min(atMs, startMs), endMs: atMs }, kept)
  } else if (store === 'windows') stores.indexedWindow(store).put(name, atMs, kept, atMs)
  else if (kept === null) stores.held(store).remove(name, atMs)
  else stores.held(store).put(name, { placeMs: atMs, oldValue: undefined, newValue: kept }, startMs)
}

/** As a record does that comes before or after all others of a session. */
function grown({ startMs, endMs }: SessionBounds): SessionBounds {
  return { startMs: Math.max(0, startMs - (startMs % 3)), endMs: endMs + 7 }
}

function grow(store: SessionStore<unknown, unknown>, name: string, session: SessionBounds): void {
  const cell = store
    .find(name, session.endMs, session.startMs)
    .find(({ windowStartMs, sessionStartMs }) => windowStartMs === session.endMs && sessionStartMs === session.startMs)
  if (cell === undefined) return
  const to = grown(session)
  if (store.move(name, cell, to, { n: to.endMs })) return
  store.put(name, session, null)
  store.put(name, to, { n: to.endMs })
}

/** The same on a plain map. */
function applyTo(
  model: Map<string, unknown>,
  [what, store, name, atMs, startMs]: readonly [string, string, string, number, number]
): void {
  const id = {
    sessions: `sessions ${name} ${Math.min(atMs, startMs)}-${atMs}`,
    windows: `windows ${name} ${atMs}`,
    held: `held ${name}`
  }[store]
  if (id === undefined) return
  if (what === 'grow') {
    const to = grown({ endMs: atMs, startMs: Math.min(atMs, startMs) })
    if (model.delete(id)) model.set(`sessions ${name} ${to.startMs}-${to.endMs}`, to.endMs)
    return
  }
  if (what === 'remove') model.delete(id)
  else model.set(id, store === 'held' ? { placeMs: atMs, n: startMs } : startMs)
}

/** All that the stores answer, found by asking for it. */
async function contents(stores: TaskStores): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  const read = (from: unknown): unknown => (typeof from === 'object' && from !== null ? Reflect.get(from, 'n') : from)
  for (const name of keys) {
    for (const { sessionStartMs: startMs = 0, windowStartMs: endMs } of stores
      .session('sessions')
      .find(name, 0, untilMs)) {
      const session = { startMs, endMs }
      const kept = stores.session('sessions').get(name, session)
      found.set(`sessions ${name} ${session.startMs}-${session.endMs}`, read(kept?.value))
    }
    for (const { windowStartMs: startMs } of stores.indexedWindow('windows').between(name, 0, untilMs)) {
      found.set(`windows ${name} ${startMs}`, read(stores.indexedWindow('windows').get(name, startMs)?.value))
    }
  }
  for await (const page of stores.heldBefore('held', untilMs)) {
    for (const { key: name, windowStartMs } of page) {
      const held = stores.held('held').get(name)?.value
      expect(held?.placeMs).toBe(windowStartMs)
      found.set(`held ${name}`, { placeMs: windowStartMs, n: read(held?.newValue) })
    }
  }
  return found
}

/** What queries answer that ask for one key. */
async function queried(stores: TaskStores): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const store of ['sessions', 'windows']) {
    for (const name of keys) {
      const reader = stores.committed(store)
      const span = { fromMs: 0, toMs: untilMs }
      const ids: string[] = []
      for await (const page of reader.fetch(name, span)) {
        for (const { windowStartMs, windowEndMs, value: kept } of page) {
          ids.push(`${store} ${name} ${windowStartMs}${windowEndMs === undefined ? '' : `-${windowEndMs}`}`)
          found.set(ids.at(-1) ?? '', Reflect.get(Object(kept), 'n'))
        }
      }
      const reversed: unknown[] = []
      for await (const page of reader.fetch(name, { ...span, reverse: true })) {
        reversed.push(...page.map(({ value: kept }) => Reflect.get(Object(kept), 'n')))
      }
      expect(reversed).toEqual(ids.toReversed().map((id) => found.get(id)))
    }
  }
  return found
}

function withoutHeld(model: ReadonlyMap<string, unknown>): Map<string, unknown> {
  return new Map([...model].filter(([id]) => !id.startsWith('held')))
}

function open(engine: MemoryEngine, cacheEntries = 5): Promise<TaskStores> {
  return TaskStores.open({ definitions, engine, cacheEntries })
}

describe('stores with an index', () => {
  it('find what a map has, through commits, aborts, roll-backs and restarts, and when restored from the changelog', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        // All windows fit, or they outgrow memory on the way, or at once, or when there is less of it after a restart.
        fc.constantFrom([0], [5], [100], [100, 2], [100, 0, 5]),
        async (play, batch, undoable, sizes) => {
          const engine = new MemoryEngine()
          let opened = 0
          const openNext = () => open(engine, sizes[opened++ % sizes.length])
          let stores = await openNext()
          let committed = new Map<string, unknown>()
          let model = new Map<string, unknown>()
          const changelog: (RestoredRecord & { readonly store: string })[] = []
          const log = () => {
            const from = changelog.length
            stores.changes(({ name }, keyBytes, valueBytes, timestamp) => {
              changelog.push({
                store: name,
                key: Buffer.from(keyBytes),
                value: valueBytes && Buffer.from(valueBytes),
                timestamp
              })
            })
            committed = new Map(model)
            return changelog.slice(from)
          }
          const commit = async () => {
            log()
            await stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
          }
          for (const one of play) {
            if (undoable || one[0] === 'undone') stores.mark()
            if (one[0] === 'commit') await commit()
            else if (one[0] === 'put' || one[0] === 'remove' || one[0] === 'grow') {
              apply(stores, one)
              applyTo(model, one)
            } else if (one[0] === 'undone') {
              for (const atMs of [7, 77, 177])
                for (const store of ['sessions', 'windows', 'held']) apply(stores, ['put', store, 'a', atMs, 3])
              stores.rollback()
            } else {
              // What was logged, and not applied before a crash, is restored.
              const tail = one[0] === 'behind' ? log() : []
              if (one[0] === 'abort') await stores.discard()
              else stores = await openNext()
              await restore(stores, tail, batch)
              model = new Map(committed)
            }
            expect(await contents(stores)).toEqual(model)
            expect(await queried(stores)).toEqual(withoutHeld(committed))
          }
          await commit()
          expect(new Set(changelog.map(({ store }) => store)).has('sessions/index')).toBe(false)
          await expectRestored(changelog, { committed, batch })
        }
      ),
      { numRuns: 300 }
    )
  })

  it('keep no index until there are more windows than memory is to hold, and lose none then', async () => {
    const engine = new MemoryEngine()
    const stores = await open(engine, 10)
    const windows = stores.indexedWindow('windows')
    const commit = () => stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
    const indexed = () => stores.committed('windows/index').approximateCount()
    const found = () => Array.from({ length: 100 }, (_, i) => windows.between(`key-${i}`, 0, untilMs).length)
    for (let i = 0; i < 8; i++) windows.put(`key-${i}`, i, i, i)
    await commit()
    expect(await indexed()).toBe(0)
    // More than is to stay in memory, of which some is on the disk and not in the index yet.
    for (let i = 8; i < 100; i++) windows.put(`key-${i}`, i, i, i)
    expect(found()).toEqual(new Array(100).fill(1))
    await commit()
    expect(await indexed()).toBe(100)
    const reads = vi.spyOn(engine, 'get')
    expect(found()).toEqual(new Array(100).fill(1))
    // One for a place and one for its window, of nearly all.
    expect(reads.mock.calls.length).toBeGreaterThan(150)
  })

  it('are read whole at the start while they have no index, and get one if there is too little memory then', async () => {
    for (const cacheEntries of [100, 10]) {
      const engine = new MemoryEngine()
      const first = await open(engine, 100)
      for (let i = 0; i < 50; i++) first.indexedWindow('windows').put(`key-${i}`, i, i, i)
      await first.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
      const stores = await open(engine, cacheEntries)
      expect(await stores.committed('windows/index').approximateCount()).toBe(cacheEntries < 50 ? 50 : 0)
      const windows = stores.indexedWindow('windows')
      const reads = vi.spyOn(engine, 'get')
      for (let i = 0; i < 50; i++) expect(windows.between(`key-${i}`, 0, untilMs)).toHaveLength(1)
      expect(reads.mock.calls.length > 0).toBe(cacheEntries < 50)
    }
  })

  it('write no changelog record for what came and went between two commits', async () => {
    const stores = await open(new MemoryEngine())
    for (let endMs = 100; endMs < 110; endMs++) {
      stores.session('sessions').put('a', { startMs: 100, endMs: endMs - 1 }, null)
      stores.session('sessions').put('a', { startMs: 100, endMs }, { n: endMs })
    }
    const moved = stores.session('sessions')
    const begun = moved.put('b', { startMs: 50, endMs: 50 }, { n: 1 })
    expect(moved.move('b', begun, { startMs: 50, endMs: 60 }, { n: 2 })).toBe(begun)
    expect(moved.move('b', begun, { startMs: 40, endMs: 70 }, { n: 3 })).toBe(begun)
    const keysWritten: string[] = []
    stores.changes((_store, keyBytes) => keysWritten.push(keyBytes.toString('hex')))
    // Kafka's session key: the key, end and start, 8 bytes each.
    expect(keysWritten).toEqual([
      `${Buffer.from('a').toString('hex')}000000000000006d0000000000000064`,
      `${Buffer.from('b').toString('hex')}00000000000000460000000000000028`
    ])
  })
})

async function expectRestored(
  changelog: readonly (RestoredRecord & { readonly store: string })[],
  { committed, batch }: { readonly committed: ReadonlyMap<string, unknown>; readonly batch: number }
): Promise<void> {
  const restored = await open(new MemoryEngine())
  // Half of it twice: a restore that was killed goes on from its last batch.
  const again = changelog.slice(Math.floor(changelog.length / 2))
  for (const part of [changelog, again]) await restore(restored, part, batch)
  expect(await contents(restored)).toEqual(committed)
  expect(await queried(restored)).toEqual(withoutHeld(committed))
}

async function restore(
  stores: TaskStores,
  part: readonly (RestoredRecord & { readonly store: string })[],
  batch: number
): Promise<void> {
  for (let at = 0; at < part.length; at += batch) {
    for (const { name } of definitions) {
      const records = part.slice(at, at + batch).filter(({ store }) => store === name)
      await stores.restore(name, records, { offset: at, leaderEpoch: 0 })
    }
  }
}
