/** Durable RxJS operators, per key and in event time, for `stream.rx()`: `@millrace/streams/rx`. */

// What they are
export type { DurableOperator, DurableStep, Moment, WrittenAs } from '../graph/durable-operator.ts'
export type { DurableState } from '../serde/durable-state.ts'
// By time
export { auditTime } from './audit-time.ts'
// By number
export { bufferCount } from './buffer-count.ts'
export { type BufferTimeOptions, bufferTime } from './buffer-time.ts'
export { debounceTime } from './debounce-time.ts'
// By value
export { distinctUntilChanged } from './distinct-until-changed.ts'
export { pairwise } from './pairwise.ts'
export { sampleTime } from './sample-time.ts'
export { scan } from './scan.ts'
export { skip } from './skip.ts'
export { take } from './take.ts'
export { takeWhile } from './take-while.ts'
export { type ThrottleOptions, throttleTime } from './throttle-time.ts'
