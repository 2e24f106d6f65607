import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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
  | readonly ['commit' | 'abort' | 'undone' | 'restart']

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
      ['restart'] as const
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

function open(engine: MemoryEngine): Promise<TaskStores> {
  return TaskStores.open({ definitions, engine, cacheEntries: 5 })
}

describe('stores with an index', () => {
  it('find what a map has, through commits, aborts, roll-backs and restarts, and when restored from the changelog', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (play, batch, undoable) => {
          const engine = new MemoryEngine()
          let stores = await open(engine)
          let committed = new Map<string, unknown>()
          let model = new Map<string, unknown>()
          const changelog: (RestoredRecord & { readonly store: string })[] = []
          const commit = async () => {
            stores.changes(({ name }, keyBytes, valueBytes, timestamp) => {
              changelog.push({
                store: name,
                key: Buffer.from(keyBytes),
                value: valueBytes && Buffer.from(valueBytes),
                timestamp
              })
            })
            await stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
            committed = new Map(model)
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
              if (one[0] === 'abort') stores.discard()
              else stores = await open(engine)
              model = new Map(committed)
            }
            expect(await contents(stores)).toEqual(model)
          }
          await commit()
          expect(new Set(changelog.map(({ store }) => store)).has('sessions/index')).toBe(false)
          await expectRestored(changelog, { committed, batch })
        }
      ),
      { numRuns: 300 }
    )
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
  for (const part of [changelog, again]) {
    for (let at = 0; at < part.length; at += batch) {
      for (const { name } of definitions) {
        const records = part.slice(at, at + batch).filter(({ store }) => store === name)
        await restored.restore(name, records, { offset: at, leaderEpoch: 0 })
      }
    }
  }
  expect(await contents(restored)).toEqual(committed)
}
