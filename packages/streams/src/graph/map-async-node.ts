import type { Serde } from '../serde/serde.ts'
import type { NodeBase } from './node.ts'
import type { StreamRecord } from './record.ts'

/** Which results of asynchronous work keep the order of their records. */
export type AsyncOrder = 'key' | 'partition'

/** What a function that works asynchronously is told about its call. */
export interface AsyncCall {
  /** Aborted when the call's time is up, and when the task ends: what is still under way is of no use then. */
  readonly signal: AbortSignal
  /** 1, and one more with each time the call is tried again. */
  readonly attempt: number
}

/** How often a failed call is made again, and after how long. Times in milliseconds. */
export interface AsyncRetry {
  /** Calls in all; 1: none is repeated. */
  readonly maxAttempts: number
  /** Before the second call; doubled before each further one. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** Whether trying again may help; absent: always. */
  readonly when?: (error: unknown) => boolean
}

/** A value from each value, by a function that takes its time. */
export interface MapAsyncNode extends NodeBase {
  readonly kind: 'map-async'
  readonly fn: (value: unknown, record: StreamRecord, call: AsyncCall) => unknown
  readonly order: AsyncOrder
  /** Records that are under way at once, at most. */
  readonly concurrency: number
  /** Of each call. */
  readonly timeoutMs: number
  readonly retry: AsyncRetry
  /** With order `key`: keys are equal when their bytes are. */
  readonly key?: Serde<unknown>
}

/** The longest that what is under way at a node may take: what a commit may have to wait for. Milliseconds. */
export function longestWorkMs({ order, concurrency, timeoutMs, retry }: MapAsyncNode): number {
  let oneMs = retry.maxAttempts * timeoutMs
  let backoffMs = retry.backoffMs
  for (let attempt = 1; attempt < retry.maxAttempts && backoffMs < retry.maxBackoffMs; attempt++) {
    oneMs += backoffMs
    backoffMs *= 2
  }
  oneMs += Math.max(0, retry.maxAttempts - 1) * retry.maxBackoffMs
  // Records of one key wait for one another.
  return order === 'key' ? oneMs * concurrency : oneMs
}
