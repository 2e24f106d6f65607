import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addStateless } from './stateless.ts'

/** Replaces each value; the key stays, and so does the partition. */
export function mapValues(
  point: Point,
  mapper: Callback<unknown>,
  { name, value }: { readonly name?: string; readonly value?: Serde<unknown> }
): Point {
  return addStateless(point, { verb: 'mapValues', name, operator: { kind: 'mapValues', fn: mapper }, after: { value } })
}
