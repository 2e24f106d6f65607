import type { ProducerIdentity, Transaction } from './transaction.ts'

/**
 * What the coordinator does about a request.
 * - `refuse`: answer with the error; nothing changes.
 * - `accept`: answer with the identity; nothing changes.
 * - `write`: log `next`, and once that is durable install it and answer with `answer`.
 * - `abort-first`: log `next`, which aborts the open transaction; when that has completed decide about the request again.
 * - `needs-producer-id`: decide again with a fresh producer id.
 */
export type TransactionDecision =
  | { readonly kind: 'refuse'; readonly errorCode: number }
  | { readonly kind: 'accept'; readonly answer: ProducerIdentity }
  | { readonly kind: 'write'; readonly next: Transaction; readonly answer: ProducerIdentity }
  | { readonly kind: 'abort-first'; readonly next: Transaction }
  | { readonly kind: 'needs-producer-id' }

/** Refuses with a protocol error. */
export function refuse(errorCode: number): TransactionDecision {
  return { kind: 'refuse', errorCode }
}

/** Logs the next state and answers with its identity. */
export function write(next: Transaction): TransactionDecision {
  return { kind: 'write', next, answer: { producerId: next.producerId, producerEpoch: next.producerEpoch } }
}
