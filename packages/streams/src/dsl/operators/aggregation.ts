import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../../graph/duration.ts'
import type { Aggregation, EmitMode } from '../../graph/node.ts'
import type { OpenLateRecords, Step } from '../../graph/step.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'
import { keptStore, type Materialized } from '../materialized.ts'
import type { AggregateOptions, EmitEvery } from '../options.ts'
import { untilTimeLimit } from '../suppress-until.ts'
import type { GroupedPoint } from './group-by-key.ts'
import { indexBucket, keptWindows, windowedSerde, windowVerb } from './kept-windows.ts'
import { suppress } from './suppress.ts'
import { lateOption, type WindowedPoint } from './windowed-by.ts'

/** What count, reduce and aggregate say of the step they make. */
export interface AggregationStep {
  /** The own kind, as it stands in names. Default: the aggregation's. */
  readonly verb?: string
  readonly aggregation: Aggregation
  /** How results are kept; undefined is a missing serde, found when the topology is built. */
  readonly value: Serde<unknown> | undefined
  /** The node's. */
  readonly name?: string | undefined
  readonly store?: string | Materialized | undefined
  readonly emit?: EmitMode | EmitEvery | undefined
  readonly retention?: Duration | undefined
  readonly ttl?: Duration | undefined
  readonly idle?: Duration | undefined
  readonly firstOldValue?: AggregateOptions['firstOldValue']
}

/** Adds an aggregation per key, or per key and window; the point after it stands on a table. */
export function addAggregation(on: GroupedPoint | WindowedPoint, step: AggregationStep): Point {
  const { emit } = step
  if (typeof emit !== 'object') return addEmitting(on, { ...step, emit })
  const everyMs = durationMs('emit.every', emit.every, { leastMs: 1 })
  // A suppress keeps what waits in a store, so that a crash loses and repeats nothing.
  return suppress(addEmitting(on, { ...step, emit: 'changes' }), untilTimeLimit(everyMs), {})
}

type EmittingStep = AggregationStep & { readonly emit: EmitMode | undefined }

function addEmitting(on: GroupedPoint | WindowedPoint, step: EmittingStep): Point {
  return 'window' in on ? addWindowed(on, step) : addPlain(on, step)
}

function lateRecords({ point, keyed, others = [], late }: WindowedPoint): { readonly late?: OpenLateRecords } {
  if (late === undefined) return {}
  const serdes = [{ point, keyed }, ...others].map((input) => ({ key: input.keyed.key, value: input.keyed.value }))
  return { late: lateOption(late, serdes) }
}

/** The parents; each is repartitioned by its own serdes where its key was changed. */
function inputs(first: GroupedPoint, others: readonly GroupedPoint[]): Pick<Step, 'parents' | 'keyed' | 'keyedSides'> {
  if (others.length === 0) return { parents: [first.point.step], keyed: first.keyed }
  const all = [first, ...others]
  return { parents: all.map(({ point }) => point.step), keyedSides: all.map(({ keyed }) => keyed) }
}

function addPlain(
  { point, keyed, others = [] }: GroupedPoint,
  { verb, name, aggregation, value, store, emit = 'commit', firstOldValue = 'nothing', ttl }: EmittingStep
): Point {
  const { draft, key } = point
  if (emit === 'final') {
    throw new UsageError(
      `topology '${draft.topology}': ${aggregation.kind} without windows never ends: emit 'commit' or 'changes'`
    )
  }
  const living = ttl === undefined ? {} : { ttlMs: durationMs('ttl', ttl, { leastMs: 1 }) }
  const step = draft.add({
    verb: verb ?? aggregation.kind,
    label: name,
    ...inputs({ point, keyed }, others),
    body: {
      kind: 'aggregate',
      aggregation,
      emit,
      ...(firstOldValue === 'initial' && { firstFromInitial: true }),
      ...living,
      store: { kind: 'key-value', ...keptStore(store), key, value, ...living }
    }
  })
  return { draft, step, key, value }
}

function addWindowed(on: WindowedPoint, made: EmittingStep): Point {
  const { point, keyed, others = [], window } = on
  const { aggregation, value, emit = 'commit', retention, firstOldValue, idle } = made
  const { draft, key } = point
  if (window.kind === 'unlimited' && emit === 'final') {
    throw new UsageError(
      `topology '${draft.topology}': ${aggregation.kind} in an unlimited window never ends: emit 'commit' or 'changes'`
    )
  }
  if (idle !== undefined && emit !== 'final') {
    throw new UsageError(
      `topology '${draft.topology}': idle closes windows for their final result: emit 'final', not '${emit}', or leave out idle`
    )
  }
  const kept = keptWindows(window)
  const retentionMs = durationMs('retention', retention ?? kept.retentionMs, { leastMs: kept.leastRetentionMs })
  const step = draft.add({
    verb: `${windowVerb(window)}-${made.verb ?? aggregation.kind}`,
    label: made.name,
    ...inputs({ point, keyed }, others),
    body: {
      kind: 'windowed-aggregate',
      aggregation,
      window,
      emit,
      ...(firstOldValue === 'initial' && { firstFromInitial: true }),
      ...(idle !== undefined && { idleMs: durationMs('idle', idle, { leastMs: 1 }) }),
      ...lateRecords(on),
      store: {
        ...kept.store,
        ...indexBucket(kept.store.indexBucketMs, retentionMs),
        ...keptStore(made.store),
        key,
        value,
        retentionMs
      },
      ...(aggregation.adders !== undefined && retention !== undefined && { beginsAnew: true }),
      ...(emit === 'final' && retention !== undefined && { finalRetentionMs: retentionMs })
    }
  })
  return { draft, step, key: windowedSerde(window, key), value }
}
