import type { DurableOperator, WrittenAs } from '../graph/durable-operator.ts'
import type { Serde } from '../serde/serde.ts'
import type { KStream } from './k-stream.ts'
import type { GivenValue, KeySerde, OptionsArgument, Slot } from './options.ts'

/** Of `rx()`; the serdes that the stream does not know must be given: the operator's state is kept with them. */
export type RxOptions<K, V, Missing extends Slot> = KeySerde<K, Missing> & {
  /** The name of the operator's store, and of what stands below; survives edits of the steps before it. Default: derived. */
  readonly store?: string
} & ('value' extends Missing ? { readonly input: Serde<V> } : { readonly input?: Serde<V> })

/** The type of `rx()`: what the operator emits is written as its input, or as what it keeps, or as the options say. */
export interface RxMethod<K, V, Known extends Slot> {
  <R>(
    operator: DurableOperator<V, R>,
    options: RxOptions<K, V, Exclude<Slot, Known>> & GivenValue<R>
  ): KStream<NonNullable<K>, R>
  <R, W extends WrittenAs>(
    operator: DurableOperator<V, R, W>,
    ...options: OptionsArgument<Exclude<Slot, Known>, RxOptions<K, V, Exclude<Slot, Known>>>
  ): KStream<NonNullable<K>, R, W extends 'anew' ? 'key' : Slot>
}
