import type { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Fluent } from './fluent.ts'
import { KGroupedStream } from './k-grouped-stream.ts'
import type { KTable } from './k-table.ts'
import { aggregateCogroup, type CogroupedPoint, cogroup } from './operators/cogroup.ts'
import type { AggregateOptions, WindowedByOptions } from './options.ts'
import type { SessionWindowedCogroupedKStream, TimeWindowedCogroupedKStream } from './windowed-cogrouped-k-stream.ts'

/** Folds one input's value into the aggregate of all inputs. */
export type CogroupAdder<K, V, A> = (value: V, aggregate: NonNullable<A>, record: StreamRecord<K, V>) => A

/**
 * Several streams grouped by the same key, each with the function that folds its values into one aggregate: one store, and no join. Records with a
 * null key are dropped and counted, and so are those with a null value as long as there are no windows.
 */
export class CogroupedKStream<K, A> {
  readonly #cogrouped: CogroupedPoint
  readonly #fluent: Fluent

  constructor(cogrouped: CogroupedPoint, fluent: Fluent) {
    this.#cogrouped = cogrouped
    this.#fluent = fluent
  }

  /** Adds another stream, grouped by keys of the same type that are written the same way. */
  cogroup<V>(grouped: KGroupedStream<K, V>, adder: CogroupAdder<K, V, A>): CogroupedKStream<K, A> {
    return this.#fluent.cogrouped(cogroup(this.#cogrouped, KGroupedStream.pointOf(grouped), adder))
  }

  /**
   * Divides each key's records into windows of event time: {@link tumbling}, {@link hopping}, {@link sliding}, {@link unlimited}, {@link sessions}.
   */
  windowedBy(
    window: TimeWindows | SlidingWindows | UnlimitedWindows,
    options?: WindowedByOptions<K, unknown>
  ): TimeWindowedCogroupedKStream<K, A>
  windowedBy(window: SessionWindows, options?: WindowedByOptions<K, unknown>): SessionWindowedCogroupedKStream<K, A>
  windowedBy(
    window: TimeWindows | SlidingWindows | UnlimitedWindows | SessionWindows,
    { onLate }: WindowedByOptions<K, unknown> = {}
  ): TimeWindowedCogroupedKStream<K, A> | SessionWindowedCogroupedKStream<K, A> {
    const windows = { window, ...(onLate && { late: onLate }) }
    return window.kind === 'session'
      ? this.#fluent.cogroupedSessions(this.#cogrouped, windows)
      : this.#fluent.cogroupedWindows(this.#cogrouped, windows)
  }

  /** Folds the values of a key. `initial` makes the aggregate of a key without one. Null deletes the key. */
  aggregate(initial: () => A, options: AggregateOptions & { readonly value: Serde<NoInfer<A>> }): KTable<K, A> {
    return this.#fluent.table(aggregateCogroup(this.#cogrouped, { initial }, options))
  }
}
