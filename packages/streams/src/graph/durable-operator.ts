import type { DurableState } from '../serde/durable-state.ts'
import type { Serde } from '../serde/serde.ts'

/** How what an operator emits is written: as the input is, as what the operator keeps is, or the program has to say. */
export type WrittenAs = 'input' | 'kept' | 'anew'

/**
 * An operator per key whose memory is kept in a store: from values `V` to values `R`. Data, and pure functions from a state, a value and the time to
 * the next state and what is emitted. Those of RxJS are made by `@millrace/streams/rx`.
 */
export interface DurableOperator<V, R, W extends WrittenAs = WrittenAs> {
  /** As it stands in names. */
  readonly verb: string
  readonly writtenAs: W
  /** How the values of a state are written; absent: as the input is. */
  readonly kept?: Serde<unknown>
  /** Takes a value. The same state, by identity, is not written again; undefined forgets the key. */
  readonly onValue: (state: DurableState | undefined, value: unknown, at: Moment) => DurableStep
  /** Takes note that the state's due time is past. What follows must be due later, if at all. Absent: it never waits. */
  readonly onTimer?: (state: DurableState, nowMs: number) => DurableStep
  /** The least time it waits, milliseconds: says how often the queue is looked at while no record comes by. */
  readonly waitsMs?: number
  /** Never there: carries the types. */
  readonly types?: (value: V) => R
}

/** What a step is told beside state and value. */
export interface Moment {
  /** Stream time, milliseconds. */
  readonly nowMs: number
  /** Whether two values are the same primitive, or are written with the same bytes. */
  readonly same: (left: unknown, right: unknown) => boolean
}

/** The state after a step, with when it wants to go on, and what the step emits. */
export interface DurableStep {
  readonly state: DurableState | undefined
  readonly emits: readonly unknown[]
}
