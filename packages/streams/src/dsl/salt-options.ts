import type { Duration } from '../graph/duration.ts'
import type { Materialized } from './materialized.ts'
import type { AggregateOptions, EmitEvery, StepOptions } from './options.ts'

/** Of a grouping whose keys may be hot. */
export interface SaltOption {
  /**
   * Spreads each key's records over so many places, 1 to 65,536, which combine them until the commit; what they combined is then merged by key. For keys
   * that have more records than one task can take. What is grouped so offers only aggregations that can be merged.
   */
  readonly salt: number
}

/** Of a salted aggregation. */
export type SaltedAggregateOptions = Pick<AggregateOptions, 'name' | 'store' | 'emit'>

/** Of a salted aggregation in windows. */
export interface SaltedWindowedOptions extends StepOptions {
  /** The store's name, under which it is queried and survives edits of the steps before it, or how it is kept too. Default: derived, not queryable. */
  readonly store?: string | Materialized
  /** When results go on: the last per window at each commit (default), every merge, or at a limited rate. Never `final`. */
  readonly emit?: 'commit' | 'changes' | EmitEvery
  /**
   * How long a window is kept after its start, in stream time; at least size and grace. What places combined may be merged as long as that, however
   * far apart their times are. Default: a day more than size and grace.
   */
  readonly retention?: Duration
}

/** Marks a reducer for which neither order nor grouping of the values matters. */
export interface Commutative {
  readonly commutative: true
}
