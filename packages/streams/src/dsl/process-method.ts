import type { KStream } from './k-stream.ts'
import type { Slot } from './options.ts'
import type {
  KeyedProcessOptions,
  NewKey,
  NewValue,
  ProcessContext,
  ProcessOptions,
  ProcessorOf,
  ProcessValuesContext,
  StoreHandles
} from './process-types.ts'

/** The forms of `process`: the serdes given say what the new keys and values are; without one they are of the types there were. */
export interface ProcessMethod<K, V, Known extends Slot> {
  <K2, V2, const S extends StoreHandles = readonly []>(
    processor: ProcessorOf<K, V, ProcessContext<NoInfer<K2>, NoInfer<V2>, S>>,
    options: KeyedProcessOptions<S> & NewKey<K2> & NewValue<V2>
  ): KStream<K2, V2>
  <V2, const S extends StoreHandles = readonly []>(
    processor: ProcessorOf<K, V, ProcessContext<K, NoInfer<V2>, S>>,
    options: KeyedProcessOptions<S> & NewValue<V2>
  ): KStream<K, V2, Known | 'value'>
  <K2, const S extends StoreHandles = readonly []>(
    processor: ProcessorOf<K, V, ProcessContext<NoInfer<K2>, V, S>>,
    options: KeyedProcessOptions<S> & NewKey<K2>
  ): KStream<K2, V, Known | 'key'>
  <const S extends StoreHandles = readonly []>(
    processor: ProcessorOf<K, V, ProcessContext<K, V, S>>,
    options?: KeyedProcessOptions<S>
  ): KStream<K, V, Known>
}

/** The forms of `processValues`. */
export interface ProcessValuesMethod<K, V, Known extends Slot> {
  <V2, const S extends StoreHandles = readonly []>(
    processor: ProcessorOf<K, V, ProcessValuesContext<NoInfer<V2>, S>>,
    options: ProcessOptions<S> & NewValue<V2>
  ): KStream<K, V2, Known | 'value'>
  <const S extends StoreHandles = readonly []>(
    processor: ProcessorOf<K, V, ProcessValuesContext<V, S>>,
    options?: ProcessOptions<S>
  ): KStream<K, V, Known>
}
