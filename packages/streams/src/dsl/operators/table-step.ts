import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../../graph/duration.ts'
import type { TableEmit } from '../../graph/table-node.ts'
import type { Serde } from '../../serde/serde.ts'
import { versionListSerde } from '../../serde/version-list.ts'
import type { Point } from '../draft.ts'
import { keptStore, type NamedStore } from '../materialized.ts'

/** What a step from table to table is told beside its function. */
export interface TableStepOptions {
  readonly name?: string
  /** Keeps the result, under this name; without it, it is computed where it is read. */
  readonly store?: NamedStore
  readonly emit?: TableEmit
  /** Keeps versions of it. */
  readonly history?: Duration
  readonly value?: Serde<unknown>
}

/** Of a step's body: when it emits and the store it keeps its result in, if it was given one. */
export function keptResult({ draft, key, value }: Point, { store, emit = 'changes', history }: TableStepOptions) {
  if (history === undefined) {
    return {
      emit,
      ...(store !== undefined && { store: { kind: 'key-value', ...keptStore(store), key, value } as const })
    }
  }
  if (store === undefined) {
    throw new UsageError(`topology '${draft.topology}': a table with a history is kept: give it a name, { store: '…' }`)
  }
  const historyMs = durationMs('history', history, { leastMs: 1 })
  const versions = value && versionListSerde(value)
  return {
    emit,
    historyMs,
    store: { kind: 'key-value', ...keptStore(store), key, value: versions, historyMs } as const
  }
}
