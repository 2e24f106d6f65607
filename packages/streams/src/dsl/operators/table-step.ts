import type { TableEmit } from '../../graph/table-node.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'
import { keptStore, type NamedStore } from '../materialized.ts'

/** What a step from table to table is told beside its function. */
export interface TableStepOptions {
  readonly name?: string
  /** Keeps the result, under this name; without it, it is computed where it is read. */
  readonly store?: NamedStore
  readonly emit?: TableEmit
  readonly value?: Serde<unknown>
}

/** Of a step's body: when it emits and the store it keeps its result in, if it was given one. */
export function keptResult(point: Point, { store, emit = 'changes' }: TableStepOptions) {
  const { key, value } = point
  return {
    emit,
    ...(store !== undefined && { store: { kind: 'key-value', ...keptStore(store), key, value } as const })
  }
}
