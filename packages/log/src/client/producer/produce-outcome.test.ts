import { describe, expect, it } from 'vitest'
import { ErrorCode, type ErrorName } from '../../wire/errors.ts'
import { judgeProduce, type ProduceCircumstances, type ProduceOutcome } from './produce-outcome.ts'

const circumstances: ProduceCircumstances = {
  transactional: false,
  idempotent: true,
  earlierUndecided: false,
  recordCount: 2
}

/** What an answer means without idempotence, with it, and in a transaction. */
const table: readonly (readonly [ErrorName, ProduceOutcome, ProduceOutcome, ProduceOutcome])[] = [
  ['NONE', 'acknowledged', 'acknowledged', 'acknowledged'],
  ['DUPLICATE_SEQUENCE_NUMBER', 'acknowledged', 'acknowledged', 'acknowledged'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'refused', 'renumber', 'abort'],
  ['UNKNOWN_PRODUCER_ID', 'refused', 'renumber', 'abort'],
  ['INVALID_PRODUCER_EPOCH', 'refused', 'renumber', 'abort'],
  ['TRANSACTION_ABORTABLE', 'abort', 'abort', 'abort'],
  ['PRODUCER_FENCED', 'refused', 'refused', 'fatal'],
  ['INVALID_PRODUCER_ID_MAPPING', 'refused', 'refused', 'fatal'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'refused', 'refused', 'fatal'],
  ['INVALID_TXN_STATE', 'refused', 'refused', 'fatal'],
  ['NOT_LEADER_OR_FOLLOWER', 'repeat', 'repeat', 'repeat'],
  ['NOT_ENOUGH_REPLICAS', 'repeat', 'repeat', 'repeat'],
  ['CONCURRENT_TRANSACTIONS', 'repeat', 'repeat', 'repeat'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'repeat', 'repeat', 'repeat'],
  ['CORRUPT_MESSAGE', 'repeat', 'repeat', 'repeat'],
  ['REQUEST_TIMED_OUT', 'repeatUnknown', 'repeatUnknown', 'repeatUnknown'],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'repeatUnknown', 'repeatUnknown', 'repeatUnknown'],
  ['MESSAGE_TOO_LARGE', 'split', 'split', 'split'],
  ['INVALID_TIMESTAMP', 'refused', 'refused', 'refused'],
  ['TOPIC_AUTHORIZATION_FAILED', 'refused', 'refused', 'refused']
]

describe('the answer to a batch', () => {
  it.each(table)('%s means %s, %s or %s', (name, plain, idempotent, transactional) => {
    const code = ErrorCode[name]
    expect(judgeProduce(code, { ...circumstances, idempotent: false })).toBe(plain)
    expect(judgeProduce(code, circumstances)).toBe(idempotent)
    expect(judgeProduce(code, { ...circumstances, transactional: true })).toBe(transactional)
  })

  it('says nothing against a batch that came before the one it follows', () => {
    for (const transactional of [false, true]) {
      const early = { ...circumstances, transactional, earlierUndecided: true }
      expect(judgeProduce(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, early)).toBe('repeat')
    }
  })

  it('refuses a single record that is too large', () => {
    expect(judgeProduce(ErrorCode.MESSAGE_TOO_LARGE, { ...circumstances, recordCount: 1 })).toBe('refused')
  })
})
