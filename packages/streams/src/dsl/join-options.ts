import type { Duration } from '../graph/duration.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { TableRow } from '../graph/table-node.ts'
import type { Serde } from '../serde/serde.ts'
import type { Materialized } from './materialized.ts'
import type { KeySerde, LateOption, Slot, StepOptions } from './options.ts'
import type { TableOptions } from './table-options.ts'

/** Of a join: how its results are written, for the steps below that have to. */
export interface JoinedOptions<R> extends StepOptions {
  readonly value?: Serde<NoInfer<R>>
}

/** Which serdes are known after a join with these options. */
export type KnownAfterJoin<Known extends Slot, Options> = Options extends { readonly value: object }
  ? Known | 'value'
  : Exclude<Known, 'value'>

/** Of a join of two streams. */
export interface StreamJoinOptions<R> extends JoinedOptions<R> {
  /**
   * How far apart the timestamps of two records may be, both ends included: the same to both sides, or a right record from `before` before the
   * left one to `after` after it. Numbers (milliseconds) may be negative, as long as the window does not end before it begins.
   */
  readonly within: Duration | { readonly before: Duration; readonly after: Duration }
  /** How much later than its window a match may still come. Default none. */
  readonly grace?: Duration
  /**
   * Names of the internal topics that a side whose key was changed goes through, after `name` by default. Joins that give the same one for the same
   * stream share it.
   */
  readonly repartition?: { readonly left?: string; readonly right?: string }
  /**
   * How the records of both sides, and of a left or outer join those that nothing matched yet, are kept; the stores are named after `name` by default,
   * with `-left`, `-right`, `-unmatched` behind it.
   */
  readonly store?: string | Materialized
  /** The same for each store by itself; a name is the whole name then. */
  readonly stores?: JoinStores
}

/** The stores of a join of two streams. */
export interface JoinStores {
  readonly left?: Materialized
  readonly right?: Materialized
  /** Of left and outer joins: what nothing matched yet. */
  readonly unmatched?: Materialized
}

/**
 * What a stream join is told of its inputs: their serdes, since it keeps them; those a stream does not know must be given. And what becomes of records
 * that come when their window and the grace are past: they are joined with what is still kept, and counted as late.
 */
export type StreamJoinSerdes<K, L, R, KnownLeft extends Slot, KnownRight extends Slot> = KeySerde<
  K,
  Exclude<'key', KnownLeft & KnownRight>
> &
  LeftSerde<L, Exclude<'value', KnownLeft>> &
  RightSerde<R, Exclude<'value', KnownRight>> & { readonly onLate?: LateOption<K, L | R> }

type LeftSerde<V, Missing extends Slot> = 'value' extends Missing
  ? { readonly left: Serde<V> }
  : { readonly left?: Serde<V> }

type RightSerde<V, Missing extends Slot> = 'value' extends Missing
  ? { readonly right: Serde<V> }
  : { readonly right?: Serde<V> }

/** Of a join of a stream with a table. */
export interface StreamTableJoinOptions<R> extends JoinedOptions<R> {
  /**
   * Lets each record wait until the stream's time is this much past its own, so that rows that come late are found. For versioned tables
   * (`history`) only. Default: none waits.
   */
  readonly grace?: Duration
  /** With `grace`: how the records that wait are kept. Its name is `name` by default. */
  readonly store?: string | Materialized
  /** Name of the internal topic that a stream whose key was changed goes through. Joins that give the same one for the same stream share it. */
  readonly repartition?: string
}

/** Serdes of the stream that such a join writes if its key was changed, or records wait. */
export type StreamSideSerdes<K, V> = { readonly key?: Serde<K>; readonly left?: Serde<V> }

/** What a joiner with a global table knows beside the two values. */
export interface MappedRow<K, GK> extends TableRow<K> {
  /** The key of the row that the record wants; null where it wants none. */
  readonly mappedKey: GK
}

/** A program's joiner of a stream with a global table: the record's value, the row's, and the keys of both. */
export type GlobalJoinFunction<Keys extends readonly [unknown, unknown], L, R, Result> = (
  left: L,
  right: R,
  row: MappedRow<Keys[0], Keys[1]>
) => Result

/** Of a join of a stream with a global table: which row each record wants; null wants none. */
export interface GlobalJoinOptions<K, V, GK, R> extends JoinedOptions<R> {
  readonly key: (value: V, record: StreamRecord<K, V>) => GK | null
}

/** Of a join of a table with one whose keys are in its values. */
export interface ForeignKeyJoinOptions<K, V, K2, R> extends JoinedOptions<R>, TableOptions {
  /** The key of the other table's row; null: there is none. */
  readonly foreignKey: (value: NonNullable<V>, row: TableRow<K>) => K2 | null
  /**
   * What becomes of an answer that says that there is no row, and comes for a row that has changed meanwhile: it is `repeated`, the default, so
   * that no result of a deleted row stays; or only `dropped`, as Kafka Streams does.
   */
  readonly staleAnswers?: 'repeated' | 'dropped'
  /** Where rows are, of tables whose topics were written with partitioners of their own (Kafka Streams' TableJoined). */
  readonly partitioners?: ForeignKeyPartitioners<K, K2>
}

/** From 0 to below `partitions`, each; default: murmur2 of the key's bytes. */
export interface ForeignKeyPartitioners<K, K2> {
  /** Of this table: where the answer to a row goes. It is sent where its question came from if this is left out, which is right in any case. */
  readonly left?: (key: K, partitions: number) => number
  /** Of the other table: where the question for a foreign key goes. */
  readonly right?: (foreignKey: K2, partitions: number) => number
}

/** Serdes of a foreign-key join's inputs, which travel between tasks; those a table does not know must be given. */
export type ForeignKeySerdes<L, R, KnownLeft extends Slot, KnownRight extends Slot> = LeftSerde<
  L,
  Exclude<'value', KnownLeft>
> &
  RightSerde<R, Exclude<'value', KnownRight>>
