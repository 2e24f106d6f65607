import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import type { Fluent } from './fluent.ts'
import type { KTable } from './k-table.ts'
import { aggregateCogroup, type CogroupedPoint, type CogroupedWindows } from './operators/cogroup.ts'
import type { WindowedAggregateOptions } from './options.ts'

type AggregateWindowsOptions<A> = WindowedAggregateOptions & { readonly value: Serde<NoInfer<A>> }

/** Cogrouped streams in windows. Each stream has a time of its own, by which its records are late; with emit `final` they share one. */
export class TimeWindowedCogroupedKStream<K, A> {
  readonly #cogrouped: CogroupedPoint
  readonly #windows: CogroupedWindows
  readonly #fluent: Fluent

  constructor(cogrouped: CogroupedPoint, windows: CogroupedWindows, fluent: Fluent) {
    this.#cogrouped = cogrouped
    this.#windows = windows
    this.#fluent = fluent
  }

  /** Folds the values of a key and window. `initial` makes the aggregate of a window without one. Null deletes the window's result. */
  aggregate(initial: () => A, options: AggregateWindowsOptions<A>): KTable<Windowed<K>, A> {
    return this.#fluent.table(aggregateCogroup(this.#cogrouped, { initial, windows: this.#windows }, options))
  }
}

/** Cogrouped streams in sessions. Each stream has a time of its own, by which its records are late; with emit `final` they share one. */
export class SessionWindowedCogroupedKStream<K, A> {
  readonly #cogrouped: CogroupedPoint
  readonly #windows: CogroupedWindows
  readonly #fluent: Fluent

  constructor(cogrouped: CogroupedPoint, windows: CogroupedWindows, fluent: Fluent) {
    this.#cogrouped = cogrouped
    this.#windows = windows
    this.#fluent = fluent
  }

  /** Folds the values of a key and session; `merger` makes one aggregate of two, the older session's first. Null deletes the session's result. */
  aggregate(
    initial: () => A,
    merger: (left: NonNullable<A>, right: NonNullable<A>, record: StreamRecord<K>) => A,
    options: AggregateWindowsOptions<A>
  ): KTable<Windowed<K>, A> {
    return this.#fluent.table(aggregateCogroup(this.#cogrouped, { initial, merger, windows: this.#windows }, options))
  }
}
