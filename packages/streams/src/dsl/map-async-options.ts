import type { Duration } from '../graph/duration.ts'
import type { AsyncCall, AsyncOrder } from '../graph/map-async-node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Slot, StepOptions } from './options.ts'

/** A program's function that takes its time: the value first, then the record, then the call, with its `signal`. */
export type AsyncFunction<K, V, R> = (value: V, record: StreamRecord<K, V>, call: AsyncCall) => PromiseLike<R> | R

/** How failed calls are made again. */
export interface AsyncRetryOptions {
  /** Calls in all, the first included. */
  readonly maxAttempts: number
  /** Before the second call, doubled before each further one; a call is made between half of it and all of it later. Default 100 ms. */
  readonly backoff?: Duration
  /** Default 10 seconds. */
  readonly maxBackoff?: Duration
  /** Whether trying again may help; a call that took too long fails with an `AsyncTimeoutError`. Default: always. */
  readonly when?: (error: unknown) => boolean
}

/** Of `mapAsync()`. */
export interface MapAsyncOptions extends StepOptions {
  /**
   * `partition` (default): calls run side by side, results go on in the order of the records. `key`: calls for one key run one after the other, and
   * those of other keys overtake them; so do their results. Records with a null key then have no order among them.
   */
  readonly order?: AsyncOrder
  /** Records under way at once in each task, at most: being worked on, or waiting for their turn. The next waits on the log. Default 16. */
  readonly concurrency?: number
  /** How long a call may take. Default 10 seconds. */
  readonly timeout?: Duration
  /** Default: a call that fails is not repeated. What fails in the end goes to the processing policy (`errors`). */
  readonly retry?: AsyncRetryOptions
}

/** The serde of keys, by which order `key` tells them apart: must be given if the stream does not know it. */
export type OrderedKey<K, Known extends Slot> = 'key' extends Known
  ? { readonly key?: Serde<NoInfer<K>> }
  :
      | { readonly order?: 'partition'; readonly key?: Serde<NoInfer<K>> }
      | { readonly order: 'key'; readonly key: Serde<NoInfer<K>> }
