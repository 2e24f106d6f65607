import { nodeName } from '../../graph/names.ts'
import { changeSerde } from '../../serde/change.ts'
import { defaultKey } from '../../serde/default-key.ts'
import type { Serde } from '../../serde/serde.ts'
import type { TableCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { GroupedPoint } from './group-by-key.ts'

/** Groups a table's rows by a new key, always through a repartition, on which what a row was and what it is travel together. */
export function tableGroupBy(
  point: Point,
  fn: TableCallback<unknown>,
  {
    name,
    key,
    value = point.value
  }: { readonly name?: string; readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
): GroupedPoint {
  const { draft } = point
  const grouping = { verb: 'groupBy', label: name, parents: [point.step] } as const
  const text = defaultKey(nodeName({ ...grouping, body: { kind: 'merge' } }))
  const newKey = key ?? text
  const step = draft.add({ ...grouping, body: { kind: 'table-group', fn, key: newKey } })
  const changes = value === undefined ? undefined : changeSerde(value)
  return { point: { draft, step, key: newKey, value }, keyed: { name, key: newKey, value: changes } }
}
