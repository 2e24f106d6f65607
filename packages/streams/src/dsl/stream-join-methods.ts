import type {
  GlobalJoinFunction,
  GlobalJoinOptions,
  KnownAfterJoin,
  StreamJoinOptions,
  StreamJoinSerdes,
  StreamSideSerdes,
  StreamTableJoinOptions
} from './join-options.ts'
import type { GlobalKTable } from './k-global-table.ts'
import type { KStream } from './k-stream.ts'
import type { KTable } from './k-table.ts'
import type { Slot } from './options.ts'
import type { JoinFunction } from './table-options.ts'

/** The forms of `join` of a stream: with a stream, a table, a global table. */
export interface StreamJoinMethod<K, V, Known extends Slot> {
  <V2, R, Known2 extends Slot, O extends StreamJoinOptions<R> & StreamJoinSerdes<K, V, V2, Known, Known2>>(
    other: KStream<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2>, R>,
    options: O
  ): KStream<K, R, KnownAfterJoin<Slot, O>>
  <V2, R, Known2 extends Slot, O extends StreamTableJoinOptions<R> & StreamSideSerdes<K, V>>(
    other: KTable<NonNullable<K>, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2>, R>,
    options?: O
  ): KStream<K, R, KnownAfterJoin<Slot, O>>
  <GK, V2, R, O extends GlobalJoinOptions<K, V, GK, R>>(
    other: GlobalKTable<GK, V2>,
    joiner: GlobalJoinFunction<readonly [K, GK], NonNullable<V>, NonNullable<V2>, R>,
    options: O
  ): KStream<K, R, KnownAfterJoin<Known, O>>
}

/** The forms of `leftJoin` of a stream. */
export interface StreamLeftJoinMethod<K, V, Known extends Slot> {
  <V2, R, Known2 extends Slot, O extends StreamJoinOptions<R> & StreamJoinSerdes<K, V, V2, Known, Known2>>(
    other: KStream<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2> | null, R>,
    options: O
  ): KStream<K, R, KnownAfterJoin<Slot, O>>
  <V2, R, Known2 extends Slot, O extends StreamTableJoinOptions<R> & StreamSideSerdes<K, V>>(
    other: KTable<NonNullable<K>, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2> | null, R>,
    options?: O
  ): KStream<K, R, KnownAfterJoin<Slot, O>>
  <GK, V2, R, O extends GlobalJoinOptions<K, V, GK, R>>(
    other: GlobalKTable<GK, V2>,
    joiner: GlobalJoinFunction<readonly [K, GK | null], NonNullable<V>, NonNullable<V2> | null, R>,
    options: O
  ): KStream<K, R, KnownAfterJoin<Known, O>>
}

/** `outerJoin` of two streams. */
export type StreamOuterJoinMethod<K, V, Known extends Slot> = <
  V2,
  R,
  Known2 extends Slot,
  O extends StreamJoinOptions<R> & StreamJoinSerdes<K, V, V2, Known, Known2>
>(
  other: KStream<K, V2, Known2>,
  joiner: JoinFunction<K, NonNullable<V> | null, NonNullable<V2> | null, R>,
  options: O
) => KStream<K, R, KnownAfterJoin<Slot, O>>
