import { UsageError } from '@millrace/log'
import { defer, filter, from, map, merge, mergeMap, type Observable, share, takeUntil } from 'rxjs'
import type { StoreChange } from '../changelog/changelog-writer.ts'
import type { StoreDefinition } from '../graph/node.ts'
import type { CommittedEntry, CommittedPages, CommittedReader } from '../state/committed-reader.ts'
import type { QueryableStore, StoreEntry, TimeRange } from './queryable-store.ts'
import type { WatchHub } from './watch-hub.ts'

/** What queries of one store go to. */
export interface QueryTarget {
  /** Resolves, once the application runs, with a reader of each task that has the store. */
  readers(): Promise<readonly CommittedReader[]>
  readonly hub: WatchHub
}

/** Changelog keys of windows end with the start (8 bytes) and a sequence number (4). */
const WINDOW_SUFFIX_BYTES = 12

/** Makes the query side of a store. The caller vouches for the types, as with the topology that defines the store. */
export function queryStore<K, V>(definition: StoreDefinition, target: QueryTarget): QueryableStore<K, V> {
  const toEntry = (entry: CommittedEntry): StoreEntry<K, V> => entryOf<K, V>(definition, entry)
  const pages = async function* (read: (reader: CommittedReader) => CommittedPages) {
    for (const reader of await target.readers()) {
      for await (const page of read(reader)) for (const entry of page) yield toEntry(entry)
    }
  }
  const windows = (what: string) => {
    if (definition.kind !== 'window')
      throw new UsageError(`store ${definition.name} has no windows: ${what} needs some`)
  }
  const fetch = (key: K, range: TimeRange = {}) => {
    windows('fetch')
    const { fromMs, toMs } = bounds(range)
    return pages((reader) => reader.fetch(key, fromMs, toMs))
  }
  const changes$: Observable<StoreEntry<K, V>> = target.hub
    .changes(definition.name)
    .pipe(map((change) => toEntry(decodeChange(definition, change))))

  return {
    get: async (key) => (await latest(definition, target, key, fetch))?.value,
    range: (fromKey, toKey) => {
      if (definition.kind === 'window') throw new UsageError(`store ${definition.name} is read by fetch or fetchAll`)
      return pages((reader) => reader.range(fromKey, toKey))
    },
    all: () => pages((reader) => reader.all()),
    fetch,
    fetchAll: (range = {}) => {
      windows('fetchAll')
      const { fromMs, toMs } = bounds(range)
      return pages((reader) => reader.fetchAll(fromMs, toMs))
    },
    watch: (key) => {
      const keyBytes = definition.key.encode(key)
      const now$ = defer(() => latest<K, V>(definition, target, key, fetch)).pipe(
        mergeMap((entry) => (entry === undefined ? from([]) : from([entry])))
      )
      const later$ = target.hub.changes(definition.name).pipe(
        filter((change) => keyBytes.equals(plainKey(definition, change.key))),
        map((change) => toEntry(decodeChange(definition, change))),
        share()
      )
      // A commit between the two reads is newer than what the first one finds.
      return merge(later$, now$.pipe(takeUntil(later$)))
    },
    changes$
  }
}

async function latest<K, V>(
  definition: StoreDefinition,
  target: QueryTarget,
  key: K,
  fetch: (key: K) => AsyncIterable<StoreEntry<K, V>>
): Promise<StoreEntry<K, V> | undefined> {
  if (definition.kind === 'window') {
    let newest: StoreEntry<K, V> | undefined
    for await (const entry of fetch(key)) newest = entry
    return newest
  }
  for (const reader of await target.readers()) {
    const found = reader.get(key)
    if (found) return entryOf(definition, { key, windowStartMs: 0, ...found })
  }
  return undefined
}

function decodeChange(definition: StoreDefinition, change: StoreChange): CommittedEntry {
  const key = plainKey(definition, change.key)
  const value = change.value === null ? undefined : definition.value.decode(change.value, 0, change.value.length)
  const windowStartMs =
    definition.kind === 'window' ? Number(change.key.readBigInt64BE(change.key.length - WINDOW_SUFFIX_BYTES)) : 0
  return { key: definition.key.decode(key, 0, key.length), windowStartMs, value, timestamp: change.timestamp }
}

function plainKey(definition: StoreDefinition, changelogKey: Buffer): Buffer {
  return definition.kind === 'window'
    ? changelogKey.subarray(0, changelogKey.length - WINDOW_SUFFIX_BYTES)
    : changelogKey
}

function entryOf<K, V>(definition: StoreDefinition, entry: CommittedEntry): StoreEntry<K, V> {
  const { windowStartMs: startMs, timestamp } = entry
  const plain = { key: entry.key as K, value: entry.value as V | undefined, timestamp }
  if (definition.kind !== 'window') return plain
  return { ...plain, window: { startMs, endMs: startMs + (definition.windowSizeMs ?? 0) } }
}

function bounds({ fromMs, toMs }: TimeRange): { fromMs: number; toMs: number } {
  return { fromMs: fromMs ?? 0, toMs: toMs ?? Number.MAX_SAFE_INTEGER - 1 }
}
