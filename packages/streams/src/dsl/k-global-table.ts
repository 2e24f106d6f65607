import type { GlobalPoint } from './operators/global-table.ts'

/** A table of which every instance has all partitions: streams are joined with it by any key, without a repartition. */
export class GlobalKTable<K, V> {
  /** Types of keys and values, for the compiler only. */
  declare readonly types: { readonly key: K; readonly value: V }
  readonly #point: GlobalPoint

  constructor(point: GlobalPoint) {
    this.#point = point
  }

  /** Where a global table stands; undefined for what is none. */
  static pointOf(table: unknown): GlobalPoint | undefined {
    return table instanceof GlobalKTable ? table.#point : undefined
  }
}
