import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../../graph/duration.ts'
import type { TableEmit } from '../../graph/table-node.ts'
import type { Serde } from '../../serde/serde.ts'
import { versionListSerde } from '../../serde/version-list.ts'
import type { Draft, Point } from '../draft.ts'
import { stream } from './stream.ts'

/** What `table()` and `toTable()` say of the table they make. */
export interface KeptTable {
  readonly store?: string
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
  const { store: name, emit = 'changes', history, ttl, keyed, label } = options
  const living = ttl === undefined ? {} : { ttlMs: durationMs('ttl', ttl, { leastMs: 1 }) }
  if (ttl !== undefined && history !== undefined) {
    throw new UsageError(`topology '${draft.topology}': a table that keeps a history has no time to live: leave out ttl`)
  }
  const historyMs = history === undefined ? undefined : durationMs('history', history, { leastMs: 1 })
  const kept = historyMs === undefined || value === undefined ? value : versionListSerde(value)
  const step = draft.add({
    verb,
    label,
    parents: [above],
    ...(keyed && { keyed }),
    body: {
      kind: 'table',
      emit,
      store: { kind: 'key-value', name, key, value: kept, ...living, ...(historyMs !== undefined && { historyMs }) },
      ...living,
      ...(historyMs !== undefined && { historyMs })
    }
  })
  return { draft, step, key, value }
}
