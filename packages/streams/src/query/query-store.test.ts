import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryEnvironment, realEnvironment, UsageError } from '@millrace/log'
import { SeededRandom } from '@millrace/log/testing'
import { afterAll, describe, expect, it } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { buffered } from '../serde/buffered.ts'
import { durableEntrySerde } from '../serde/durable-state.ts'
import { json } from '../serde/json.ts'
import { optional } from '../serde/optional.ts'
import type { Serde } from '../serde/serde.ts'
import { string } from '../serde/string.ts'
import { tuple } from '../serde/tuple.ts'
import { type VersionList, versionListSerde, withVersion } from '../serde/version-list.ts'
import type { StateEngine } from '../state/engine.ts'
import { FileEngine } from '../state/file-engine.ts'
import { LevelEngine } from '../state/level-engine.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import { queryStore } from './query-store.ts'
import type { QueryableStore, StoreEntry } from './queryable-store.ts'
import { WatchHub } from './watch-hub.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-query-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const engines: readonly (readonly [string, () => Promise<StateEngine>])[] = [
  ['memory', async () => new MemoryEngine()],
  ['file', () => FileEngine.open('/state', memoryEnvironment())],
  ['LevelDB', () => LevelEngine.open(mkdtempSync(join(root, 'level-')), realEnvironment())]
]

const [text, value] = [string() as Serde<unknown>, json() as Serde<unknown>]
const shopped = tuple(string(), string())
const definitions: readonly StoreDefinition[] = [
  { name: 'rows', kind: 'key-value', key: text, value, named: true },
  { name: 'parts', kind: 'key-value', key: shopped as Serde<unknown>, value, named: true },
  { name: 'versions', kind: 'key-value', key: text, value: versionListSerde(value), named: true, historyMs: 100 },
  { name: 'windows', kind: 'window', key: text, value, named: true, retentionMs: 500, windowSizeMs: 10 },
  {
    name: 'sliding',
    kind: 'window',
    key: text,
    value,
    named: true,
    retentionMs: 500,
    windowSizeMs: 10,
    indexBucketMs: 40
  },
  { name: 'sessions', kind: 'session', key: text, value, named: true, retentionMs: 500, indexBucketMs: 40 },
  { name: 'maybe', kind: 'key-value', key: text, value: optional(string()) as Serde<unknown>, named: true },
  { name: 'held', kind: 'buffer', key: text, value: buffered(value) as Serde<unknown>, named: true },
  { name: 'operator', kind: 'key-value', key: text, value: durableEntrySerde(text, value), named: true }
]
const keys = ['a', 'ab', 'abc', 'b', 'ü', 'ý\u{10ffff}']
const bytewise = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What was put, by store: `key` or `key/start` or `key/start-end`, and the number of the put. */
type Model = Map<string, Map<string, { key: string; startMs: number; endMs: number; n: number }>>

function fill(stores: TaskStores, random: SeededRandom, model: Model): void {
  for (let n = 1; n <= 60; n++) {
    const key = keys[random.below(keys.length)]
    const startMs = random.below(40) * 10
    const endMs = startMs + random.below(3) * 10
    const gone = random.chance(0.2)
    const name = ['rows', 'windows', 'sliding', 'sessions'][random.below(4)]
    const kept = gone ? null : { n }
    if (name === 'rows') stores.keyValue(name).put(key, kept, startMs)
    else if (name === 'windows') stores.window(name).put(key, startMs, kept, startMs)
    else if (name === 'sliding') stores.indexedWindow(name).put(key, startMs, kept, startMs)
    else stores.session(name).put(key, { startMs, endMs }, kept)
    const id = name === 'rows' ? key : name === 'sessions' ? `${key}/${startMs}-${endMs}` : `${key}/${startMs}`
    const entries = model.get(name) ?? new Map()
    if (gone) entries.delete(id)
    else entries.set(id, { key, startMs, endMs, n })
    model.set(name, entries)
  }
}

async function numbers(entries: AsyncIterable<StoreEntry<unknown, unknown>>): Promise<number[]> {
  const found: number[] = []
  for await (const { value: kept } of entries) found.push((kept as { n: number }).n)
  return found
}

function expected(
  model: Model,
  store: string,
  wanted: (one: { key: string; startMs: number; endMs: number }) => boolean
): number[] {
  const at = (one: { startMs: number; endMs: number }) => (store === 'sessions' ? one.endMs : one.startMs)
  return [...(model.get(store)?.values() ?? [])]
    .filter(wanted)
    .sort((a, b) =>
      store === 'rows' ? bytewise(a.key, b.key) : at(a) - at(b) || a.startMs - b.startMs || bytewise(a.key, b.key)
    )
    .map(({ n }) => n)
}

describe.each(engines)('queries of stores in %s', (_name, openEngine) => {
  const opened = async (): Promise<{
    stores: TaskStores
    query: <K, V>(name: string) => QueryableStore<K, V>
    commit: () => Promise<void>
    hub: WatchHub
  }> => {
    const stores = await TaskStores.open({ definitions, engine: await openEngine() })
    const hub = new WatchHub()
    const query = <K, V>(name: string): QueryableStore<K, V> => {
      const definition = definitions.find((one) => one.name === name)
      if (definition === undefined) throw new UsageError(name)
      return queryStore(definition, { readers: async () => [stores.committed(name)], hub, refusal: () => undefined })
    }
    let offset = 0
    const commit = () => {
      offset++
      const changelogOffsets = new Map(definitions.map((one) => [one.name, { offset, leaderEpoch: 0 }]))
      return stores.apply({ changelogOffsets, time: Buffer.alloc(0), nowMs: 0 })
    }
    return { stores, query, commit, hub }
  }

  it('find what a map has, in order and against it, and only what is committed', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const random = new SeededRandom(seed)
      const { stores, query, commit } = await opened()
      const model: Model = new Map()
      fill(stores, random, model)
      for (const { name } of definitions) expect(await numbers(query(name).all())).toEqual([])
      await commit()
      fill(stores, new SeededRandom(seed + 100), new Map())
      for (const reverse of [false, true]) {
        const inOrder = (found: number[]) => (reverse ? found.toReversed() : found)
        for (const store of ['rows', 'windows', 'sliding', 'sessions']) {
          const all = expected(model, store, () => true)
          expect(await numbers(query(store).all({ reverse }))).toEqual(inOrder(all))
          expect(await query(store).approximateCount()).toBe(all.length)
        }
        const [from, to] = [keys[random.below(keys.length)], keys[random.below(keys.length)]]
        const ranged = expected(model, 'rows', ({ key }) => bytewise(from, key) <= 0 && bytewise(key, to) <= 0)
        expect(await numbers(query('rows').range(from, to, { reverse }))).toEqual(inOrder(ranged))
        for (const prefix of ['', 'a', 'ab', '\u00fd', 'z']) {
          const begun = expected(model, 'rows', ({ key }) => key.startsWith(prefix))
          expect(await numbers(query('rows').prefix(prefix, { reverse }))).toEqual(inOrder(begun))
        }
        const [fromMs, toMs] = [random.below(20) * 10 - 5, 200 + random.below(20) * 10]
        for (const store of ['windows', 'sliding', 'sessions']) {
          const inTime = ({ startMs, endMs }: { startMs: number; endMs: number }) => {
            const atMs = store === 'sessions' ? endMs : startMs
            return fromMs <= atMs && atMs <= toMs
          }
          expect(await numbers(query(store).fetchAll({ fromMs, toMs, reverse }))).toEqual(
            inOrder(expected(model, store, inTime))
          )
          for (const key of keys) {
            const ofKey = expected(model, store, (one) => one.key === key && inTime(one))
            expect(await numbers(query(store).fetch(key, { fromMs, toMs, reverse }))).toEqual(inOrder(ofKey))
          }
        }
        const overlapping = expected(
          model,
          'sessions',
          (one) => one.key === 'ab' && one.endMs >= 50 && one.startMs <= 210
        )
        const sessions = query('sessions').findSessions('ab', 50, 210, { reverse })
        expect(await numbers(sessions)).toEqual(inOrder(overlapping))
      }
      await stores.close()
    }
  })

  it('find rows by the first parts of their keys', async () => {
    const { stores, query, commit } = await opened()
    const rows = [
      ['north', 'a'],
      ['north', 'b'],
      ['nor', 'c'],
      ['south', 'a']
    ]
    for (const [n, key] of rows.entries()) stores.keyValue('parts').put(key, { n }, 0)
    await commit()
    const parts = query<readonly [string, string], unknown>('parts')
    const serde = tuple(string())
    expect(await numbers(parts.prefix(['north'], { serde }))).toEqual([0, 1])
    expect(await numbers(parts.prefix(['north'], { serde, reverse: true }))).toEqual([1, 0])
    expect(await numbers(parts.prefix(['nor'], { serde }))).toEqual([2])
    await stores.close()
  })

  it('show the latest version of a versioned table, or that of any time', async () => {
    const { stores, query, commit } = await opened()
    let versions: VersionList = []
    for (const [timestamp, kept] of [
      [10, 'one'],
      [20, undefined],
      [30, 'three']
    ] as const) {
      versions = withVersion(versions, { value: kept, timestamp })
    }
    stores.keyValue('versions').put('a', versions, 30)
    stores.keyValue('versions').put('b', [...versions, { value: undefined, timestamp: 40 }], 40)
    await commit()
    const table = query<string, string>('versions')
    expect([await table.get('a'), await table.get('b'), await table.get('c')]).toEqual(['three', undefined, undefined])
    const asOf = await Promise.all([9, 10, 19, 20, 29, 30, 99].map((timeMs) => table.asOf('a', timeMs)))
    expect(asOf).toEqual([undefined, 'one', 'one', undefined, undefined, 'three', 'three'])
    expect(await table.asOf('b', 35)).toBe('three')
    expect(await table.versions('a')).toEqual([
      { value: 'one', timestamp: 10, validUntilMs: 20 },
      { value: undefined, timestamp: 20, validUntilMs: 30 },
      { value: 'three', timestamp: 30, validUntilMs: undefined }
    ])
    const all: unknown[] = []
    for await (const { key, value: kept } of table.all()) all.push([key, kept])
    expect(all).toEqual([['a', 'three']])
    await stores.close()
  })

  it('show what suppress holds back, and what a durable operator remembers', async () => {
    const { stores, query, commit } = await opened()
    stores.held('held').put('a', { placeMs: 5, oldValue: undefined, newValue: { n: 1 } }, 5)
    stores.held('held').put('b', { placeMs: 6, oldValue: { n: 2 }, newValue: undefined }, 6)
    const state = { numbers: [3], values: [{ n: 4 }], dueMs: 90 }
    stores.keyValue('operator').put('a', { state, timer: { atMs: 90, next: 'b' } }, 7)
    stores.keyValue('operator').put('b', { timer: { atMs: 90 } }, 7)
    stores.keyValue('maybe').put('a', undefined, 8)
    await commit()
    const all = async (store: string) => {
      const found: unknown[] = []
      for await (const entry of query(store).all()) found.push(entry)
      return found
    }
    expect(await query('held').get('a')).toEqual({ n: 1 })
    expect(await all('held')).toEqual([{ key: 'a', value: { n: 1 }, timestamp: 5 }])
    expect(await query('operator').get('a')).toEqual(state)
    expect(await all('operator')).toEqual([{ key: 'a', value: state, timestamp: 7 }])
    expect(await all('maybe')).toEqual([{ key: 'a', value: undefined, timestamp: 8 }])
    await stores.close()
  })

  it('watch an entry through a commit that is under way, of which nobody collects the changes', async () => {
    const { stores, query, commit, hub } = await opened()
    stores.keyValue('rows').put('a', { n: 1 }, 1)
    await commit()
    const seen: unknown[] = []
    const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 5))
    stores.keyValue('rows').put('a', { n: 2 }, 2)
    stores.keyValue('rows').put('b', { n: 3 }, 3)
    for (const key of ['a', 'b', 'c'])
      query(`rows`)
        .watch(key)
        .subscribe(({ value: kept }) => seen.push([key, kept]))
    await settled()
    expect(seen.splice(0)).toEqual([['a', { n: 1 }]])
    await commit()
    hub.publish([])
    await settled()
    expect(seen.splice(0)).toEqual([
      ['a', { n: 2 }],
      ['b', { n: 3 }]
    ])
    stores.keyValue('rows').put('a', null, 4)
    hub.publish([{ store: 'rows', key: Buffer.from('a'), value: null, timestamp: 4 }])
    await commit()
    hub.publish([])
    await settled()
    expect(seen.splice(0)).toEqual([['a', undefined]])
    await stores.close()
  })

  it('refuse what a store cannot answer, with what it can', async () => {
    const { stores, query } = await opened()
    expect(() => query('windows').range()).toThrow('store windows has windows: read it by fetch or fetchAll')
    expect(() => query('windows').prefix('a')).toThrow('fetch')
    expect(() => query('rows').fetch('a')).toThrow('store rows has no windows')
    expect(() => query('rows').fetchAll()).toThrow('store rows has no windows')
    expect(() => query('windows').findSessions('a', 0, 1)).toThrow('no sessions')
    await expect(query('rows').asOf('a', 0)).rejects.toThrow('give its table { history }')
    await stores.close()
  })
})
