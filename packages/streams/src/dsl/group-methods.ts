import type { StreamFunction } from './callback.ts'
import type { KGroupedStream } from './k-grouped-stream.ts'
import type { GivenKey, GivenValue, KeySerde, OptionsArgument, Slot, StepOptions, ValueSerde } from './options.ts'
import type { SaltOption } from './salt-options.ts'
import type { SaltedKStream } from './salted-k-stream.ts'

/** The forms of `groupByKey`: with `salt`, with another serde for the values, and with what the stream knows. */
export interface GroupByKeyMethod<K, V, Known extends Slot> {
  (
    options: StepOptions & SaltOption & KeySerde<K, Exclude<'key', Known>> & ValueSerde<V, Exclude<'value', Known>>
  ): SaltedKStream<NonNullable<K>, V>
  (options: StepOptions & KeySerde<K, Exclude<Slot, Known>> & GivenValue<V>): KGroupedStream<NonNullable<K>, V>
  (
    ...options: OptionsArgument<Exclude<'key', Known>, StepOptions & KeySerde<K, Exclude<Slot, Known>>>
  ): KGroupedStream<NonNullable<K>, V, Known | 'key'>
}

/** The forms of `groupBy`: with `salt` or without, and for new keys that are text, which need no serde. */
export interface GroupByMethod<K, V, Known extends Slot> {
  <K2 extends string | null>(
    mapper: StreamFunction<K, V, K2>,
    options: StepOptions & SaltOption & Partial<GivenKey<K2>> & ValueSerde<V, Exclude<'value', Known>>
  ): SaltedKStream<NonNullable<K2>, V>
  <K2>(
    mapper: StreamFunction<K, V, K2>,
    options: StepOptions & SaltOption & GivenKey<K2> & ValueSerde<V, Exclude<'value', Known>>
  ): SaltedKStream<NonNullable<K2>, V>
  <K2 extends string | null>(
    mapper: StreamFunction<K, V, K2>,
    ...options: OptionsArgument<
      Exclude<'value', Known>,
      StepOptions & Partial<GivenKey<K2>> & ValueSerde<V, Exclude<'value', Known>>
    >
  ): KGroupedStream<NonNullable<K2>, V>
  <K2>(
    mapper: StreamFunction<K, V, K2>,
    options: StepOptions & GivenKey<K2> & ValueSerde<V, Exclude<'value', Known>>
  ): KGroupedStream<NonNullable<K2>, V>
}
