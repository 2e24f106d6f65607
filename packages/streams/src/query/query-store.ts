import { isDeepStrictEqual } from 'node:util'
import { UsageError } from '@millrace/log'
import { filter, map, type Observable } from 'rxjs'
import type { StoreChange } from '../changelog/changelog-writer.ts'
import type { StoreDefinition } from '../graph/node.ts'
import { readLong } from '../serde/long.ts'
import { versionAt } from '../serde/version-list.ts'
import type { CommittedEntry, CommittedPages, CommittedReader, TimeSpan } from '../state/committed-reader.ts'
import type { QueryableStore, StoreEntry, TimeRange } from './queryable-store.ts'
import { shownValue } from './shown-value.ts'
import { watchEntry } from './watch-entry.ts'
import type { WatchHub } from './watch-hub.ts'

/** What queries of one store go to. */
export interface QueryTarget {
  /** Resolves, once the application runs, with a reader of each task that has the store. */
  readers(): Promise<readonly CommittedReader[]>
  readonly hub: WatchHub
  /** Why nothing can be asked any more. */
  refusal(): Error | undefined
}

/** Changelog keys of windows end with the start (8 bytes) and a sequence number (4), those of sessions with end and start (8 bytes each). */
const SUFFIX_BYTES = { 'key-value': 0, buffer: 0, window: 12, session: 16 } as const

/** Makes the query side of a store. The caller vouches for the types, as with the topology that defines the store. */
export function queryStore<K, V>(definition: StoreDefinition, watched: QueryTarget): QueryableStore<K, V> {
  const target = { ...watched, readers: () => readersOf(watched) }
  const toEntry = (entry: CommittedEntry): StoreEntry<K, V> => entryOf<K, V>(definition, entry)
  const pages = async function* (read: (reader: CommittedReader) => CommittedPages) {
    for (const reader of await target.readers()) {
      for await (const page of read(reader)) {
        for (const entry of page) if (isThere(definition, entry)) yield toEntry(entry)
      }
    }
  }
  const demand = (holds: boolean, otherwise: string) => {
    if (!holds) throw new UsageError(`store ${definition.name} ${otherwise}`)
  }
  const fetch = (key: K, range: TimeRange = {}) => {
    demand(hasWindows(definition), 'has no windows to fetch: read it by get, range or prefix')
    return pages((reader) => reader.fetch(key, bounds(range)))
  }
  const changes$: Observable<StoreEntry<K, V>> = target.hub
    .changes(definition.name)
    .pipe(map((change) => toEntry(decodeChange(definition, change))))

  return {
    get: async (key) => (await latest<K, V>(definition, target, key))?.value,
    range: (from, to, direction) => {
      demand(!hasWindows(definition), 'has windows: read it by fetch or fetchAll')
      return pages((reader) => reader.range({ from, to, ...direction }))
    },
    prefix: (prefix, { serde, ...direction } = {}) => {
      demand(!hasWindows(definition), 'has windows: read it by fetch or fetchAll')
      const bytes = serde === undefined ? definition.key.encode(prefix) : serde.encode(prefix)
      return pages((reader) => reader.prefix(bytes, direction))
    },
    all: (direction) => pages((reader) => reader.all(direction)),
    fetch,
    findSessions: (key, earliestEndMs, latestStartMs, direction) => {
      demand(definition.kind === 'session', 'has no sessions to find')
      return pages((reader) => reader.findSessions(key, { earliestEndMs, latestStartMs, ...direction }))
    },
    fetchAll: (range = {}) => {
      demand(hasWindows(definition), 'has no windows to fetch: read it by get, range or prefix')
      return pages((reader) => reader.fetchAll(bounds(range)))
    },
    ...versionQueries<K, V>(definition, target),
    approximateCount: async () => {
      const counts = await Promise.all((await target.readers()).map((reader) => reader.approximateCount()))
      return counts.reduce((sum, count) => sum + count, 0)
    },
    watch: (key) => {
      const keyBytes = definition.key.encode(key)
      return watchEntry<K, V>({
        // A watch ends with the application, and does not fail.
        read: () => latest<K, V>(definition, watched, key),
        changes$: target.hub.changes(definition.name).pipe(
          filter((change) => keyBytes.equals(plainKey(definition, change.key))),
          map((change) => toEntry(decodeChange(definition, change)))
        ),
        published$: target.hub.published$,
        isSame
      })
    },
    changes$
  }
}

/** What a versioned table was. */
function versionQueries<K, V>(
  definition: StoreDefinition,
  target: QueryTarget
): Pick<QueryableStore<K, V>, 'asOf' | 'versions'> {
  const versionsOf = async (key: K) => {
    if (!isVersioned(definition)) {
      throw new UsageError(`store ${definition.name} keeps no versions: give its table { history }`)
    }
    const found = (await target.readers()).map((reader) => reader.versions(key))
    return found.find((versions) => versions.length > 0) ?? []
  }
  return {
    asOf: async (key, timeMs) => versionAt(await versionsOf(key), timeMs)?.value as V | undefined,
    versions: async (key) => {
      const versions = await versionsOf(key)
      return versions.map(({ value, timestamp }, i) => ({
        value: value as V | undefined,
        timestamp,
        validUntilMs: versions[i + 1]?.timestamp
      }))
    }
  }
}

/** @throws why nothing can be asked any more. */
async function readersOf(target: QueryTarget): Promise<readonly CommittedReader[]> {
  const readers = await target.readers()
  const refusal = target.refusal()
  if (refusal !== undefined) throw refusal
  return readers
}

async function latest<K, V>(
  definition: StoreDefinition,
  target: Pick<QueryTarget, 'readers'>,
  key: K
): Promise<StoreEntry<K, V> | undefined> {
  for (const reader of await target.readers()) {
    if (hasWindows(definition)) {
      for await (const [newest] of reader.fetch(key, bounds({ reverse: true }))) {
        if (newest !== undefined) return entryOf(definition, newest)
      }
      continue
    }
    const found = reader.get(key)
    const entry = found && { key, windowStartMs: 0, ...found }
    if (entry && isThere(definition, entry)) return entryOf(definition, entry)
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
  const plain = { key: entry.key as K, value: shownValue(definition, entry.value)?.value as V | undefined, timestamp }
  if (!hasWindows(definition)) return plain
  // An unlimited window has no size.
  const { windowSizeMs = Number.MAX_SAFE_INTEGER - startMs } = definition
  return { ...plain, window: { startMs, endMs: entry.windowEndMs ?? startMs + windowSizeMs } }
}

function isSame(
  left: StoreEntry<unknown, unknown> | undefined,
  right: StoreEntry<unknown, unknown> | undefined
): boolean {
  if (left === undefined || right === undefined) return left === right
  if (left.timestamp !== right.timestamp || left.window?.startMs !== right.window?.startMs) return false
  return isDeepStrictEqual(left.value, right.value)
}

function isVersioned({ historyMs }: StoreDefinition): boolean {
  return historyMs !== undefined
}

function isThere(definition: StoreDefinition, { value }: CommittedEntry): boolean {
  return shownValue(definition, value) !== undefined
}

function bounds({ fromMs, toMs, reverse }: TimeRange): Required<TimeSpan> {
  return { fromMs: fromMs ?? 0, toMs: toMs ?? Number.MAX_SAFE_INTEGER - 1, reverse: reverse ?? false }
}
