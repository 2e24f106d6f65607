import { partitionForKey, UsageError } from '@millrace/log'
import type { CombinedWindows } from '../../graph/combine-node.ts'
import { type Duration, durationMs } from '../../graph/duration.ts'
import { nodeName } from '../../graph/names.ts'
import type { Aggregation, TimeWindows } from '../../graph/node.ts'
import { long } from '../../serde/long.ts'
import { SaltedKey, saltedKey } from '../../serde/salted-key.ts'
import type { Serde } from '../../serde/serde.ts'
import type { AggregateCallback, Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { SaltedAggregateOptions, SaltedWindowedOptions } from '../salt-options.ts'
import { addAggregation } from './aggregation.ts'
import { addKeyChange } from './changed-key.ts'
import { groupByKey } from './group-by-key.ts'
import { windowVerb } from './kept-windows.ts'
import { windowedBy } from './windowed-by.ts'

/** A stream whose keys are spread over several places each, ready to be aggregated in two stages. */
export interface SaltedPoint {
  /** After the repartition by salted keys; its key's serde is that of the keys without salt. */
  readonly point: Point
  readonly salts: number
  readonly window?: TimeWindows
}

/** What the keys are and how they are spread. */
export interface SaltedGrouping {
  readonly salt: number
  readonly verb: 'groupBy' | 'groupByKey'
  readonly mapper: Callback<unknown>
  readonly name?: string
  readonly key?: Serde<unknown> | undefined
  readonly value?: Serde<unknown>
}

const MOST_SALTS = 65_536

/** Spreads each key's records over `salt` places, by the offsets they came from. */
export function saltedGrouping(point: Point, grouping: SaltedGrouping): SaltedPoint {
  const { salt: salts, verb, mapper, name, value = point.value } = grouping
  if (!(Number.isSafeInteger(salts) && salts >= 1 && salts <= MOST_SALTS)) {
    throw new UsageError(
      `topology '${point.draft.topology}': ${verb} with salt ${salts}: give a whole number from 1 to ${MOST_SALTS}`
    )
  }
  const fn: Callback<unknown> = (given, record) => {
    const key = mapper(given, record)
    return key === null || key === undefined ? null : new SaltedKey(key, saltOf(record.offset, salts))
  }
  const changed = addKeyChange(point, { verb, name, key: grouping.key, operator: { kind: 'selectKey', fn } })
  const { draft, key } = changed
  const step = draft.add({
    verb: 'salted-repartition',
    label: undefined,
    parents: [changed.step],
    body: {
      kind: 'repartition',
      explicit: true,
      keepsNullKeys: true,
      key: key && saltedKey(key),
      value,
      partitioner: (salted, _value, partitions) => placeOf(key, salted, partitions)
    }
  })
  return { point: { draft, step, key, value }, salts }
}

/** Fibonacci hashing: keys that come in turns must not get one salt each. */
function saltOf(offset: number, salts: number): number {
  return (Math.imul(offset | 0, 0x9e3779b1) >>> 16) % salts
}

/** As many different partitions as there are salts, from the key's own on. */
function placeOf(key: Serde<unknown> | undefined, salted: unknown, partitions: number): number {
  if (!(salted instanceof SaltedKey) || key === undefined) return 0
  return (partitionForKey(key.encode(salted.key), partitions) + salted.salt) % partitions
}

/** Only windows that are where the clock says can be put together from several places. */
export function saltedWindows(on: SaltedPoint, window: TimeWindows): SaltedPoint {
  if (window.kind !== 'time') throw refusal(on.point, `has ${window.kind} windows: use tumbling or hopping ones`)
  return { ...on, window }
}

/** A program's function of two values; a method so that a typed one may stand for it (see `callback.ts`). */
export type PairCallback = { run(left: unknown, right: unknown): unknown }['run']

/** An aggregation in two stages. */
export interface SaltedAggregation {
  readonly verb: string
  readonly combine: Aggregation
  /** Of what two places combined. */
  readonly merge: (left: unknown, right: unknown) => unknown
  /** Undefined is a missing serde, found when the topology is built. */
  readonly value: Serde<unknown> | undefined
}

/** A day: how far apart the times of places may be by default. */
const APART_MS = 24 * 60 * 60 * 1000

/** Combines the records in each place until the commit, and merges what comes of it by key. */
export function addSalted(
  on: SaltedPoint,
  { verb, combine, merge, value }: SaltedAggregation,
  options: SaltedAggregateOptions | SaltedWindowedOptions
): Point {
  const { salts, window } = on
  const { draft, key } = on.point
  refuseFinal(on, options)
  const step = draft.add({
    verb: ['salted', ...(window === undefined ? [] : [windowVerb(window)]), verb].join('-'),
    label: undefined,
    parents: [on.point.step],
    body: { kind: 'combine', salts, key, value, aggregation: combine, ...(window && { windows: panesOf(window) }) }
  })
  const grouped = groupByKey({ draft, step, key, value }, {})
  const aggregation = { kind: 'aggregate', add: merge } as const
  if (window === undefined) return addAggregation(grouped, { ...options, verb, aggregation, value })
  const { sizeMs, graceMs } = window
  const retentionMs = durationMs('retention', retentionOf(options) ?? sizeMs + graceMs + APART_MS, {
    leastMs: sizeMs + graceMs
  })
  // What is late was found out before it was combined: a merge is too late only when the window is gone.
  const merged = windowedBy(grouped, { ...window, graceMs: retentionMs - sizeMs })
  return addAggregation(merged, { ...options, retention: retentionMs, verb, aggregation, value })
}

function retentionOf(options: SaltedWindowedOptions): Duration | undefined {
  return options.retention
}

/** Windows that begin every `advanceMs` and are `sizeMs` long change their members on a grid of the greatest common divisor. */
function panesOf({ sizeMs, advanceMs, graceMs }: TimeWindows): CombinedWindows {
  let [a, b] = [sizeMs, advanceMs]
  while (b > 0) [a, b] = [b, a % b]
  return { paneMs: a, sizeMs, advanceMs, graceMs }
}

function refuseFinal({ point }: SaltedPoint, { emit }: { readonly emit?: unknown }): void {
  if (emit !== 'final') return
  throw refusal(point, "emits 'final', but what one place combined may come after another one's time: emit 'commit'")
}

/** The number of records. */
export function saltedCount(on: SaltedPoint, options: SaltedAggregateOptions | SaltedWindowedOptions): Point {
  const merge = (left: unknown, right: unknown) => Number(left) + Number(right)
  return addSalted(on, { verb: 'count', combine: countRecords, merge, value: long() }, options)
}

const countRecords: Aggregation = { kind: 'count', initial: () => 0, add: (counted) => Number(counted) + 1 }

/** Values two by two, in any order and grouping. */
export function saltedReduce(
  on: SaltedPoint,
  reducer: PairCallback,
  given: (SaltedAggregateOptions | SaltedWindowedOptions) & {
    readonly commutative?: true
    readonly value?: Serde<unknown>
  } = {}
): Point {
  const { commutative, value = on.point.value, ...options } = given
  if (commutative !== true) {
    throw refusal(on.point, 'reduces values in another order and in groups: say { commutative: true } where it may')
  }
  const add = (reduced: unknown, next: unknown) => kept(on, reducer(next, reduced))
  return addSalted(on, { verb: 'reduce', combine: { kind: 'reduce', add }, merge: add, value }, options)
}

/** A fold in each place, and a merger of what the places folded. */
export function saltedAggregate(
  on: SaltedPoint,
  fold: {
    readonly initial: () => unknown
    readonly adder: AggregateCallback
    readonly merger: PairCallback
  },
  given: (SaltedAggregateOptions | SaltedWindowedOptions) & { readonly value: Serde<unknown> }
): Point {
  const { initial, adder, merger } = fold
  if (typeof merger !== 'function') {
    throw refusal(on.point, 'aggregates in several places: give a merger, (left, right) => …, that makes one of two')
  }
  const { value, ...options } = given
  const combine: Aggregation = {
    kind: 'aggregate',
    initial,
    add: (folded, next, record) => kept(on, adder(next, folded, record))
  }
  const merge = (left: unknown, right: unknown) => kept(on, merger(left, right))
  return addSalted(on, { verb: 'aggregate', combine, merge, value }, options)
}

/** A deletion in one place is none in the others. */
function kept({ point }: SaltedPoint, result: unknown): unknown {
  if (result !== null && result !== undefined) return result
  throw refusal(point, `made ${result} of a value, but a salted key cannot be deleted: keep a value, or do not salt`)
}

function refusal({ draft, step }: Point, problem: string): UsageError {
  return new UsageError(`topology '${draft.topology}': the salted grouping after '${nodeName(step)}' ${problem}`)
}
