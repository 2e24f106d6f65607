import type { WindowDefinition } from '../../graph/node.ts'
import type { OpenLateRecords, OpenSerdes } from '../../graph/step.ts'
import type { Callback } from '../callback.ts'
import { requireOptions } from '../mistakes.ts'
import type { GroupedPoint } from './group-by-key.ts'

/** A grouped stream with its windows. */
export interface WindowedPoint extends GroupedPoint {
  readonly window: WindowDefinition
  readonly late?: AnyLateOption
}

/** What becomes of late records, its types laid down. */
export type AnyLateOption = Callback<void> | { readonly lateTo: string }

/** Late records are written as they came, by the serdes of their stream. */
export function lateOption(late: AnyLateOption, serdes: readonly OpenSerdes[]): OpenLateRecords {
  return typeof late === 'function' ? { kind: 'callback', fn: late } : { kind: 'topic', topic: late.lateTo, serdes }
}

/** Divides each key's records into windows of event time. No step of its own: the aggregation keeps a result per key and window. */
export function windowedBy(grouped: GroupedPoint, window: WindowDefinition, late?: AnyLateOption): WindowedPoint {
  const { topology } = grouped.point.draft
  requireOptions(window, `topology '${topology}': windowedBy`, "tumbling({ size: '1m' })")
  return { ...grouped, window, ...(late && { late }) }
}
