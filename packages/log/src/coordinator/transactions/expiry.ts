import type { Transaction } from './transaction.ts'

/** Whether the transaction has been open for longer than its producer allowed. */
export function isTimedOut(transaction: Transaction, nowMs: number): boolean {
  return transaction.status === 'Ongoing' && transaction.startMs + transaction.timeoutMs < nowMs
}

/** Whether the transactional id was idle for so long that it is forgotten (`transactional.id.expiration.ms`). */
export function isExpired(transaction: Transaction, nowMs: number, expirationMs: number): boolean {
  const idle =
    transaction.status === 'Empty' || transaction.status === 'CompleteCommit' || transaction.status === 'CompleteAbort'
  return idle && transaction.lastUpdateMs + expirationMs <= nowMs
}
