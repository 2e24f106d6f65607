import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addStateless } from './stateless.ts'

/** Replaces each value by any number of values, each in a record of its own; the key stays, and so does the partition. */
export function flatMapValues(
  point: Point,
  mapper: Callback<Iterable<unknown>>,
  { name, value }: { readonly name?: string; readonly value?: Serde<unknown> }
): Point {
  const operator = { kind: 'flatMapValues', fn: mapper } as const
  return addStateless(point, { verb: 'flatMapValues', name, operator, after: { value } })
}
