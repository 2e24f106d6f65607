import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'
import { addTable, type KeptTable } from './table.ts'

/** A stream as the table of its latest records; where the key was changed before, through a repartition. Null keys are dropped. */
export function toTable(
  point: Point,
  options: KeptTable & { readonly name?: string; readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
): Point {
  const { name, key = point.key, value = point.value, ...kept } = options
  return addTable({ ...point, key, value }, 'toTable', { ...kept, keyed: { name, key, value } })
}
