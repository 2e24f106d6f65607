import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../../graph/duration.ts'
import type { TableEmit } from '../../graph/table-node.ts'
import type { Serde } from '../../serde/serde.ts'
import { versionListSerde } from '../../serde/version-list.ts'
import type { Draft, Point } from '../draft.ts'
import { keptStore, type Materialized } from '../materialized.ts'
import { definitionOf, type KeyValueStoreHandle } from '../store-handle.ts'
import { stream } from './stream.ts'

/** What `table()` and `toTable()` say of the table they make. */
export interface KeptTable {
  readonly store?: string | Materialized | KeyValueStoreHandle
  readonly emit?: TableEmit
  readonly history?: Duration
  readonly ttl?: Duration
}

/** Reads a topic as a table: the latest record of every key. */
export function table(
  draft: Draft,
  topic: string,
  options: Parameters<typeof stream>[2] & KeptTable & { readonly key: Serde<unknown>; readonly value: Serde<unknown> }
): Point {
  return addTable(stream(draft, [topic], options), 'table', options)
}

/** Adds the step that keeps, if it has to be kept, the latest value of every key of the stream at a point. */
export function addTable(
  { draft, step: above, key, value }: Point,
  verb: string,
  options: KeptTable & { readonly keyed?: Point['step']['keyed']; readonly label?: string }
): Point {
  const { store, emit = 'changes', history, ttl, keyed, label } = options
  const living = ttl === undefined ? {} : { ttlMs: durationMs('ttl', ttl, { leastMs: 1 }) }
  const historyMs = history === undefined ? undefined : durationMs('history', history, { leastMs: 1 })
  if (ttl !== undefined && (history !== undefined || isHandle(store))) {
    const what = history === undefined ? 'is kept in a store that a processor writes too' : 'keeps a history'
    throw new UsageError(`topology '${draft.topology}': a table that ${what} has no time to live: leave out ttl`)
  }
  if (isHandle(store)) {
    if (historyMs !== undefined) throw new UsageError(`store ${store.name} is a processor's too: it keeps no history`)
    const body = { kind: 'table', emit, store: { ...store, defined: definitionOf(store) } } as const
    const step = draft.add({ verb, label, parents: [above], ...(keyed && { keyed }), body })
    return { draft, step, key: store.key, value: store.value }
  }
  const kept = historyMs === undefined || value === undefined ? value : versionListSerde(value)
  const step = draft.add({
    verb,
    label,
    parents: [above],
    ...(keyed && { keyed }),
    body: {
      kind: 'table',
      emit,
      store: {
        kind: 'key-value',
        ...keptStore(store),
        key,
        value: kept,
        ...living,
        ...(historyMs !== undefined && { historyMs })
      },
      ...living,
      ...(historyMs !== undefined && { historyMs })
    }
  })
  return { draft, step, key, value }
}

/** A processor's store, which is as its handle says. */
function isHandle(store: KeptTable['store']): store is KeyValueStoreHandle {
  return typeof store === 'object' && 'kind' in store
}
