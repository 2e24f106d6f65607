import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addKeyChange } from './changed-key.ts'

/** Replaces each record by any number of records, given as key and value. The key counts as changed. */
export function flatMap(
  point: Point,
  mapper: Callback<Iterable<readonly [unknown, unknown]>>,
  { name, key, value }: { readonly name?: string; readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
): Point {
  return { ...addKeyChange(point, { verb: 'flatMap', name, key, operator: { kind: 'flatMap', fn: mapper } }), value }
}
