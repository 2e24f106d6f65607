import { UsageError } from '@millrace/log'
import { defer, filter, from, map, merge, mergeMap, type Observable, share, takeUntil } from 'rxjs'
import type { StoreChange } from '../changelog/changelog-writer.ts'
import type { StoreDefinition } from '../graph/node.ts'
import { readLong } from '../serde/long.ts'
import type { CommittedEntry, CommittedPages, CommittedReader } from '../state/committed-reader.ts'
import type { QueryableStore, StoreEntry, TimeRange } from './queryable-store.ts'
import type { WatchHub } from './watch-hub.ts'

/** What queries of one store go to. */
export interface QueryTarget {
  /** Resolves, once the application runs, with a reader of each task that has the store. */
  readers(): Promise<readonly CommittedReader[]>
  readonly hub: WatchHub
}

/** Changelog keys of windows end with the start (8 bytes) and a sequence number (4), those of sessions with end and start (8 bytes each). */
const SUFFIX_BYTES = { 'key-value': 0, buffer: 0, window: 12, session: 16 } as const

/** Makes the query side of a store. The caller vouches for the types, as with the topology that defines the store. */
export function queryStore<K, V>(definition: StoreDefinition, target: QueryTarget): QueryableStore<K, V> {
  const toEntry = (entry: CommittedEntry): StoreEntry<K, V> => entryOf<K, V>(definition, entry)
  const pages = async function* (read: (reader: CommittedReader) => CommittedPages) {
    for (const reader of await target.readers()) {
      for await (const page of read(reader)) for (const entry of page) yield toEntry(entry)
    }
  }
  const windows = (what: string) => {
    if (!hasWindows(definition)) throw new UsageError(`store ${definition.name} has no windows: ${what} needs some`)
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
      if (hasWindows(definition)) throw new UsageError(`store ${definition.name} is read by fetch or fetchAll`)
      return pages((reader) => reader.range(fromKey, toKey))
    },
    all: () => pages((reader) => reader.all()),
    fetch,
    findSessions: (key, earliestEndMs, latestStartMs) => {
      if (definition.kind !== 'session') throw new UsageError(`store ${definition.name} has no sessions to find`)
      return pages((reader) => reader.findSessions(key, earliestEndMs, latestStartMs))
    },
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
  if (hasWindows(definition)) {
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
  const entry = { key: definition.key.decode(key, 0, key.length), value, timestamp: change.timestamp }
  if (definition.kind === 'session') {
    const windowEndMs = readLong(change.key, key.length)
    return { ...entry, windowStartMs: readLong(change.key, key.length + 8), windowEndMs }
  }
  return { ...entry, windowStartMs: definition.kind === 'window' ? readLong(change.key, key.length) : 0 }
}

function plainKey({ kind }: StoreDefinition, changelogKey: Buffer): Buffer {
  return changelogKey.subarray(0, changelogKey.length - SUFFIX_BYTES[kind])
}

function hasWindows({ kind }: StoreDefinition): boolean {
  return kind === 'window' || kind === 'session'
}

function entryOf<K, V>(definition: StoreDefinition, entry: CommittedEntry): StoreEntry<K, V> {
  const { windowStartMs: startMs, timestamp } = entry
  const plain = { key: entry.key as K, value: entry.value as V | undefined, timestamp }
  if (!hasWindows(definition)) return plain
  // An unlimited window has no size.
  const { windowSizeMs = Number.MAX_SAFE_INTEGER - startMs } = definition
  return { ...plain, window: { startMs, endMs: entry.windowEndMs ?? startMs + windowSizeMs } }
}

function bounds({ fromMs, toMs }: TimeRange): { fromMs: number; toMs: number } {
  return { fromMs: fromMs ?? 0, toMs: toMs ?? Number.MAX_SAFE_INTEGER - 1 }
}
