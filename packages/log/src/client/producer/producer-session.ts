import type { MillraceError } from '../../errors.ts'

/** Producer id and epoch, -1 and -1 without idempotence. One object per pair: a new epoch is a new object. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Stands for "no idempotence" in batches. */
export const noIdentity: ProducerIdentity = { producerId: -1, producerEpoch: -1 }

/**
 * As whom a producer sends. Three kinds: without idempotence, idempotent, and transactional. The sender asks before it sends and tells
 * what cannot be repaired by repeating.
 */
export interface ProducerSession {
  readonly transactionalId: string | null
  readonly idempotent: boolean
  /** Highest version of Produce to use; undefined for the highest there is. */
  readonly produceMaxVersion: number | undefined
  /** Who sends; undefined while nothing may be sent. `onChange` is called when that ends. */
  identity(): ProducerIdentity | undefined
  /** Whether the partition may be sent to now (transactions of the first protocol add it first). */
  admits(topic: string, partition: number): boolean
  /** Sequence numbers of a partition have a gap that only a new epoch closes. Not called on a transactional session. */
  startNewEpoch(): void
  /** Why nothing more will be sent, at least until the transaction is aborted; undefined while all is well. */
  failure(): MillraceError | undefined
  /** Records were lost for good; `fatal` when the producer cannot go on after that. */
  recordsFailed(error: MillraceError, fatal: boolean): void
  /** Called whenever `identity` or `admits` may answer differently. */
  onChange(changed: () => void): void
}
