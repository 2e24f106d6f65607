import { UsageError } from '@millrace/log'
import type {
  ProcessorReadOnlyStore,
  ProcessorSessionStore,
  ProcessorStore,
  ProcessorVersionedStore,
  ProcessorWindowStore
} from '../graph/process-context.ts'
import type { WindowEntry } from '../state/closing-windows.ts'
import type { IndexedWindowStore, KeyValueStore, SessionStore, WindowStore } from '../state/store.ts'
import type { VersionedRows } from './versioned-rows.ts'

/** A key-value store as a processor sees it. `now` is the time that a change gets unless told. */
export function keyValueView(store: KeyValueStore<unknown, unknown>, now: () => number): ProcessorStore {
  return {
    name: store.name,
    get: (key) => store.get(key)?.value,
    timestampOf: (key) => store.get(key)?.timestamp,
    put: (key, value, timestampMs) => store.put(key, value ?? null, timestampMs ?? now()),
    delete: (key) => store.put(key, null, now()),
    all: (options = {}) => pairs(store.rows(options)),
    range: (from, to, options = {}) => pairs(store.rows({ from, to, ...options }))
  }
}

/** A key-value store as a processor sees it that may only read it. */
export function readOnlyView(store: KeyValueStore<unknown, unknown>): ProcessorReadOnlyStore {
  const { name, get, timestampOf, all, range } = keyValueView(store, () => 0)
  return { name, get, timestampOf, all, range }
}

/** A window store as a processor sees it. */
export function windowView(
  store: WindowStore<unknown, unknown>,
  {
    starting,
    byKey
  }: {
    readonly starting: (fromMs: number, toMs: number) => AsyncIterable<readonly WindowEntry[]>
    readonly byKey: Pick<IndexedWindowStore<unknown, unknown>, 'between'> | undefined
  },
  now: () => number
): ProcessorWindowStore {
  return {
    name: store.name,
    get: (key, startMs) => store.get(key, startMs)?.value,
    put: (key, startMs, value, timestampMs) => store.put(key, startMs, value ?? null, timestampMs ?? now()),
    delete: (key, startMs) => store.put(key, startMs, null, now()),
    fetch: (key, fromMs, toMs) => {
      if (byKey === undefined)
        throw new UsageError(`store ${store.name} does not find windows by key: define it with { byKey: true }`)
      return byKey
        .between(key, fromMs, toMs)
        .flatMap(({ windowStartMs: startMs, current }) => (current ? [{ startMs, value: current.value }] : []))
    },
    windows: (fromMs, toMs) => entries(starting(fromMs, toMs + 1))
  }
}

/** A session store as a processor sees it. */
export function sessionView(store: SessionStore<unknown, unknown>): ProcessorSessionStore {
  return {
    name: store.name,
    get: (key, session) => store.get(key, session)?.value,
    find: (key, earliestEndMs, latestStartMs) =>
      store.find(key, earliestEndMs, latestStartMs).flatMap(({ windowStartMs: endMs, sessionStartMs, current }) => {
        // Of a session, the place in the store is its end.
        return current === undefined ? [] : [{ startMs: sessionStartMs ?? endMs, endMs, value: current.value }]
      }),
    put: (key, session, value) => void store.put(key, session, value ?? null),
    delete: (key, session) => void store.put(key, session, null)
  }
}

/** A versioned store as a processor sees it. `late` hears of what was too old. */
export function versionedView(rows: VersionedRows, now: () => number, late: () => void): ProcessorVersionedStore {
  const put = (key: unknown, value: unknown, timestampMs: number) => {
    if (rows.put(key, value, timestampMs) === undefined) late()
  }
  return {
    name: rows.name,
    get: (key) => rows.latest(key)?.value,
    timestampOf: (key) => rows.asOf(key, Number.POSITIVE_INFINITY)?.timestamp,
    asOf: (key, timeMs) => rows.asOf(key, timeMs)?.value,
    put: (key, value, timestampMs = now()) => put(key, value ?? undefined, timestampMs),
    delete: (key, timestampMs = now()) => put(key, undefined, timestampMs)
  }
}

type Rows = ReturnType<KeyValueStore<unknown, unknown>['rows']>

async function* pairs(pages: Rows): AsyncGenerator<readonly [unknown, unknown]> {
  for await (const page of pages) for (const { key, current } of page) yield [key, current.value]
}

async function* entries(
  pages: AsyncIterable<readonly WindowEntry[]>
): AsyncGenerator<readonly [unknown, number, unknown]> {
  for await (const page of pages) {
    for (const { key, windowStartMs, value } of page) yield [key, windowStartMs, value.value]
  }
}
