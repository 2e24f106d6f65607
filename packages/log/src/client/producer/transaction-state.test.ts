import { describe, expect, it } from 'vitest'
import { UsageError } from '../../errors.ts'
import {
  requireLegalCall,
  type TransactionCall,
  type TransactionState,
  transactionTransitions
} from './transaction-state.ts'

const states = Object.keys(transactionTransitions) as TransactionState[]

describe('the states of a transactional producer', () => {
  it('are all reachable, and lead nowhere from a fatal error', () => {
    const reached = new Set<TransactionState>(['uninitialized'])
    for (const state of reached) for (const next of transactionTransitions[state]) reached.add(next)
    expect([...reached].sort()).toEqual([...states].sort())
    expect(transactionTransitions.fatalError).toEqual([])
  })

  it('can all fail for good', () => {
    for (const state of states) {
      if (state !== 'fatalError') expect(transactionTransitions[state]).toContain('fatalError')
    }
  })

  it('never lead from an abortable error to a commit', () => {
    expect(transactionTransitions.abortableError).toEqual(['preparingAbort', 'fatalError'])
  })
})

describe('calls of a transactional producer', () => {
  const legal: readonly (readonly [TransactionCall, readonly TransactionState[]])[] = [
    ['initTransactions', ['uninitialized', 'ready', 'committing', 'aborting']],
    ['beginTransaction', ['ready']],
    ['send', ['inTransaction']],
    ['sendOffsetsToTransaction', ['inTransaction']],
    ['commitTransaction', ['inTransaction', 'committing']],
    ['abortTransaction', ['inTransaction', 'abortableError', 'aborting']]
  ]

  it.each(legal)('%s is legal in %j alone, and says so', (call, allowed) => {
    for (const state of states) {
      const check = () => requireLegalCall(call, state)
      if (allowed.includes(state)) expect(check).not.toThrow()
      else {
        expect(check).toThrow(UsageError)
        expect(check).toThrow(`${call}() in state '${state}'`)
      }
    }
  })
})
