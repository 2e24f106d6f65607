import type { TransformedRow } from '../graph/transform-node.ts'
import type { StepOptions } from './options.ts'
import type { BaseProcessContext, StoreHandles } from './process-types.ts'

/** What a transformer is given: stores and clocks as a processor, but nothing to forward with. */
export type TransformValuesContext<S extends StoreHandles = readonly []> = BaseProcessContext<S>

/** A transformer of one task. */
export interface ValueTransformer<K, V, R> {
  /**
   * The new value. It must not depend on how often it is called where the result is not kept: then it is called for what a row was, too, and for each row
   * that something below reads.
   * @param value Null for a row that is gone. A null result deletes the row.
   */
  transform(value: V, row: TransformedRow<K>): R
  /** The task ends. */
  close?(): void
}

/** A function per value, or `{ make }`, called once per task, with what is to be kept between values in its closure, or in stores. */
export type ValueTransformerOf<K, V, R, C> =
  | ((value: NonNullable<V> | null, row: TransformedRow<K>, context: C) => R)
  | { readonly make: (context: C) => ValueTransformer<K, NonNullable<V> | null, R> }

/** Of `transformValues`. */
export interface TransformValuesOptions<S extends StoreHandles> extends StepOptions {
  /** The stores it uses: `b.store()` and its like, `b.globalStore()`, `b.readOnlyStore()`. */
  readonly stores?: S
}
