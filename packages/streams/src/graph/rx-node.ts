import type { Serde } from '../serde/serde.ts'
import type { DurableOperator } from './durable-operator.ts'
import type { NodeBase, StoreDefinition } from './node.ts'

/** A durable operator per key. */
export interface RxNode extends NodeBase {
  readonly kind: 'rx'
  readonly operator: DurableOperator<never, unknown>
  /** A state a key. */
  readonly store: StoreDefinition
  /** Of an operator that waits: the queue of keys by time. */
  readonly timers?: StoreDefinition
  /** How the values of the input are written. */
  readonly input: Serde<unknown>
}
