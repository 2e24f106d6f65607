import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addKeyChange } from './changed-key.ts'
import { type GroupedPoint, groupByKey } from './group-by-key.ts'

/** Groups records by a new key: `selectKey` and `groupByKey` in one, so always through a repartition, which drops null keys. */
export function groupBy(
  point: Point,
  mapper: Callback<unknown>,
  { name, key, value }: { readonly name?: string; readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
): GroupedPoint {
  const rekeyed = addKeyChange(point, { verb: 'groupBy', name, key, operator: { kind: 'selectKey', fn: mapper } })
  return groupByKey(rekeyed, { ...(name === undefined ? {} : { name }), ...(value === undefined ? {} : { value }) })
}
