import { UsageError } from '@millrace/log'
import { type Duration, durationMs, formatDuration } from '../../graph/duration.ts'
import type { Aggregation, EmitMode, WindowDefinition } from '../../graph/node.ts'
import type { Serde } from '../../serde/serde.ts'
import { windowed } from '../../serde/windowed.ts'
import type { Point } from '../draft.ts'
import type { GroupedPoint } from './group-by-key.ts'
import type { WindowedPoint } from './windowed-by.ts'

/** What count, reduce and aggregate say of the step they make. */
export interface AggregationStep {
  readonly aggregation: Aggregation
  /** How results are kept; undefined is a missing serde, found when the topology is built. */
  readonly value: Serde<unknown> | undefined
  readonly store?: string | undefined
  readonly emit?: EmitMode | undefined
  readonly retention?: Duration | undefined
}

/** Adds an aggregation per key, or per key and window; the point after it stands on a table. */
export function addAggregation(on: GroupedPoint | WindowedPoint, step: AggregationStep): Point {
  return 'window' in on ? addWindowed(on, step) : addPlain(on, step)
}

function addPlain(
  { point, keyed }: GroupedPoint,
  { aggregation, value, store: name, emit = 'commit' }: AggregationStep
): Point {
  const { draft, key } = point
  if (emit === 'final') {
    throw new UsageError(
      `topology '${draft.topology}': ${aggregation.kind} without windows never ends: emit 'commit' or 'changes'`
    )
  }
  const step = draft.add({
    verb: aggregation.kind,
    label: undefined,
    parents: [point.step],
    keyed,
    body: { kind: 'aggregate', aggregation, emit, store: { kind: 'key-value', name, key, value } }
  })
  return { draft, step, key, value }
}

function addWindowed({ point, keyed, window }: WindowedPoint, made: AggregationStep): Point {
  const { aggregation, value, store: name, emit = 'commit', retention } = made
  const { draft, key } = point
  const { sizeMs, graceMs } = window
  const leastMs = sizeMs + graceMs
  const retentionMs = durationMs('retention', retention ?? leastMs, { leastMs })
  const step = draft.add({
    verb: `${windowVerb(window)}-${aggregation.kind}`,
    label: undefined,
    parents: [point.step],
    keyed,
    body: {
      kind: 'windowed-aggregate',
      aggregation,
      window,
      emit,
      store: { kind: 'window', name, key, value, retentionMs, windowSizeMs: sizeMs },
      ...(emit === 'final' && retention !== undefined && { finalRetentionMs: retentionMs })
    }
  })
  return { draft, step, key: key === undefined ? undefined : windowed(key, sizeMs), value }
}

/** A window's size and advance are part of what the store is; its grace is not. */
function windowVerb({ sizeMs, advanceMs }: WindowDefinition): string {
  if (sizeMs === advanceMs) return `tumbling-${formatDuration(sizeMs)}`
  return `hopping-${formatDuration(sizeMs)}-${formatDuration(advanceMs)}`
}
