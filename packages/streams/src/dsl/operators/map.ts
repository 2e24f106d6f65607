import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addKeyChange } from './changed-key.ts'

/** Replaces key and value. The key counts as changed even where it is the same: prefer `mapValues` then. */
export function map(
  point: Point,
  mapper: Callback<readonly [unknown, unknown]>,
  { name, key, value }: { readonly name?: string; readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
): Point {
  return { ...addKeyChange(point, { verb: 'map', name, key, operator: { kind: 'map', fn: mapper } }), value }
}
