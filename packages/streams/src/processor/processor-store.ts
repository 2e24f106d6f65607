import type { ProcessorReadOnlyStore, ProcessorStore, ProcessorWindowStore } from '../graph/process-context.ts'
import type { WindowEntry } from '../state/closing-windows.ts'
import type { KeyValueStore, WindowStore } from '../state/store.ts'

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
  starting: (fromMs: number, toMs: number) => AsyncIterable<readonly WindowEntry[]>,
  now: () => number
): ProcessorWindowStore {
  return {
    name: store.name,
    get: (key, startMs) => store.get(key, startMs)?.value,
    put: (key, startMs, value, timestampMs) => store.put(key, startMs, value ?? null, timestampMs ?? now()),
    delete: (key, startMs) => store.put(key, startMs, null, now()),
    windows: (fromMs, toMs) => entries(starting(fromMs, toMs + 1))
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
