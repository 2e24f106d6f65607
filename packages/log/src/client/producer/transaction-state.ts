import { UsageError } from '../../errors.ts'

/** Where a transactional producer stands. */
export type TransactionState =
  | 'uninitialized'
  | 'initializing'
  | 'ready'
  | 'inTransaction'
  | 'preparingCommit'
  | 'preparingAbort'
  | 'committing'
  | 'aborting'
  | 'abortableError'
  | 'fatalError'

/**
 * The legal transitions. `preparing` waits for the records under way, `committing` and `aborting` wait for the coordinator. After a commit
 * whose answer never came the producer stays in `committing`: the commit may be asked for again, or the coordinator be made to settle it
 * by initializing.
 */
export const transactionTransitions: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  uninitialized: ['initializing', 'fatalError'],
  initializing: ['ready', 'uninitialized', 'fatalError'],
  ready: ['inTransaction', 'initializing', 'fatalError'],
  inTransaction: ['preparingCommit', 'preparingAbort', 'abortableError', 'fatalError'],
  preparingCommit: ['committing', 'abortableError', 'fatalError'],
  preparingAbort: ['aborting', 'fatalError'],
  committing: ['ready', 'committing', 'initializing', 'abortableError', 'fatalError'],
  aborting: ['ready', 'aborting', 'initializing', 'fatalError'],
  abortableError: ['preparingAbort', 'fatalError'],
  fatalError: []
}

/** What a user may call in which state. */
const legalCalls: Readonly<Record<TransactionCall, readonly TransactionState[]>> = {
  initTransactions: ['uninitialized', 'ready', 'committing', 'aborting'],
  beginTransaction: ['ready'],
  send: ['inTransaction'],
  sendOffsetsToTransaction: ['inTransaction'],
  commitTransaction: ['inTransaction', 'committing'],
  abortTransaction: ['inTransaction', 'abortableError', 'aborting']
}

/** The methods of a producer that depend on its state. */
export type TransactionCall =
  | 'initTransactions'
  | 'beginTransaction'
  | 'send'
  | 'sendOffsetsToTransaction'
  | 'commitTransaction'
  | 'abortTransaction'

/** @throws UsageError naming method and state when the call is not legal in this state. */
export function requireLegalCall(call: TransactionCall, state: TransactionState): void {
  if (legalCalls[call].includes(state)) return
  const legal = legalCalls[call].map((name) => `'${name}'`).join(' or ')
  throw new UsageError(`${call}() in state '${state}': it is legal in ${legal}${hint(state)}`)
}

function hint(state: TransactionState): string {
  if (state === 'uninitialized') return '; call initTransactions() first'
  if (state === 'abortableError') return '; call abortTransaction() first'
  return ''
}
