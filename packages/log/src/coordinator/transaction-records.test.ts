import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeTransactionKey,
  decodeTransactionValue,
  encodeTransactionKey,
  encodeTransactionValue
} from './transaction-records.ts'
import { noPartitions, type Transaction } from './transactions/transaction.ts'

const empty: Transaction = {
  transactionalId: 'tx',
  producerId: 4_000,
  producerEpoch: 7,
  lastProducerEpoch: -1,
  previousProducerId: -1,
  nextProducerId: -1,
  clientVersion: 0,
  timeoutMs: 60_000,
  status: 'Empty',
  partitions: noPartitions,
  lastUpdateMs: 1_700_000_000_000,
  startMs: -1,
  inProcess: false
}

const int = (max: number): fc.Arbitrary<number> => fc.integer({ min: -1, max })
const transactions: fc.Arbitrary<Transaction> = fc.record({
  transactionalId: fc.string({ minLength: 1 }),
  producerId: fc.nat(Number.MAX_SAFE_INTEGER),
  producerEpoch: fc.nat(32_767),
  lastProducerEpoch: int(32_767),
  previousProducerId: int(Number.MAX_SAFE_INTEGER),
  nextProducerId: int(Number.MAX_SAFE_INTEGER),
  clientVersion: fc.constantFrom<0 | 2>(0, 2),
  timeoutMs: fc.nat(2 ** 31 - 1),
  status: fc.constantFrom('Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'),
  partitions: fc
    .uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.array(fc.nat(1_000), { minLength: 1 })), {
      selector: ([topic]) => topic
    })
    .map((entries) => new Map(entries)),
  lastUpdateMs: fc.nat(Number.MAX_SAFE_INTEGER),
  startMs: int(Number.MAX_SAFE_INTEGER),
  inProcess: fc.boolean()
})

describe('records of __transaction_state', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(transactions, (transaction) => {
        const id = decodeTransactionKey(encodeTransactionKey(transaction.transactionalId))
        expect(id).toBe(transaction.transactionalId)
        expect(decodeTransactionValue(transaction.transactionalId, encodeTransactionValue(transaction))).toEqual(
          transaction
        )
      })
    )
    expect(decodeTransactionValue('tx', encodeTransactionValue(empty))).toEqual(empty)
  })

  it('have the bytes of Kafka', () => {
    expect(encodeTransactionKey('tx').toString('hex')).toBe('000000027478')
    const value = encodeTransactionValue({
      ...empty,
      status: 'Ongoing',
      partitions: new Map([['t', [3]]]),
      startMs: 5,
      clientVersion: 2
    })
    const parts = [
      '0001', // version
      '0000000000000fa0', // producer id
      '0007', // epoch
      '0000ea60', // timeout
      '01', // Ongoing
      '02', // one topic, compact
      '0274', // 't'
      '0200000003', // one partition, 3
      '00', // no tagged fields of the topic
      '0000018bcfe56800', // last update
      '0000000000000005', // start
      '01', // one tagged field
      '02020002' // tag 2, two bytes: client version 2
    ]
    expect(value.toString('hex')).toBe(parts.join(''))
  })

  it('reads version 0, without tagged fields', () => {
    const version0 = Buffer.from(
      `0000${'0000000000000fa0'}${'0007'}${'0000ea60'}${'00'}${'ffffffff'}${'0000018bcfe56800'}${'ffffffffffffffff'}`,
      'hex'
    )
    expect(decodeTransactionValue('tx', version0)).toEqual(empty)
  })

  it('passes over a key of a newer kind', () => {
    expect(decodeTransactionKey(Buffer.from('0001ff', 'hex'))).toBeUndefined()
  })
})
