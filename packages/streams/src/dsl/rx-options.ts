import type { Serde } from '../serde/serde.ts'
import type { Materialized } from './materialized.ts'
import type { KeySerde, Slot } from './options.ts'

/** Of `rx()`; the serdes that the stream does not know must be given: the operator's state is kept with them. */
export type RxOptions<K, V, Missing extends Slot> = KeySerde<K, Missing> & {
  /** The name of the operator's store, and of what stands below; survives edits of the steps before it. Or how it is kept too. Default: derived. */
  readonly store?: string | Materialized
} & ('value' extends Missing ? { readonly input: Serde<V> } : { readonly input?: Serde<V> })
