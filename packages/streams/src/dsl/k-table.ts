import type { Point } from './draft.ts'
import type { Fluent } from './fluent.ts'
import type { KStream } from './k-stream.ts'
import { toStream } from './operators/to-stream.ts'
import type { StepOptions } from './options.ts'

/** A table: the latest value of every key, and its changes. What an aggregation makes. */
export class KTable<K, V> {
  readonly #point: Point
  readonly #fluent: Fluent

  constructor(point: Point, fluent: Fluent) {
    this.#point = point
    this.#fluent = fluent
  }

  /** The table's updates as a stream: each new value, null for a deleted key. */
  toStream(options: StepOptions = {}): KStream<K, V> {
    return this.#fluent.stream(toStream(this.#point, options))
  }
}
