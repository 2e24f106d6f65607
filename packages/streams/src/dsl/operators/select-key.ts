import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addKeyChange } from './changed-key.ts'

/** Gives each record a new key. Nothing is moved yet: the next key-based step repartitions. */
export function selectKey(
  point: Point,
  mapper: Callback<unknown>,
  { name, key }: { readonly name?: string; readonly key?: Serde<unknown> }
): Point {
  return addKeyChange(point, { verb: 'selectKey', name, key, operator: { kind: 'selectKey', fn: mapper } })
}
