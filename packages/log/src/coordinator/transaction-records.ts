import { InvariantError } from '../errors.ts'
import { decodeStruct, encodeStruct } from '../wire/codec.ts'
import { array, boolean, int8, int16, int32, int64, string, struct } from '../wire/schema.ts'
import { noPartitions, type Transaction, type TransactionStatus } from './transactions/transaction.ts'
import { versionOf, withVersion } from './versioned-bytes.ts'

/**
 * Records of `__transaction_state`: key version 0 with the transactional id, value version 0 or, flexible, 1; a null value is a tombstone. Each begins
 * with its version as an int16.
 */
const keySchema = struct({ transactionalId: string('0+') })

const valueSchema = struct({
  producerId: int64('0+'),
  previousProducerId: int64('1+', { tag: 0, default: -1 }),
  nextProducerId: int64('1+', { tag: 1, default: -1 }),
  producerEpoch: int16('0+'),
  transactionTimeoutMs: int32('0+'),
  transactionStatus: int8('0+'),
  transactionPartitions: array('0+', struct({ topic: string('0+'), partitionIds: array('0+', int32()) }), {
    nullable: '0+'
  }),
  transactionLastUpdateTimestampMs: int64('0+'),
  transactionStartTimestampMs: int64('0+'),
  clientTransactionVersion: int16('1+', { tag: 2 }),
  // Of ours. Tags that a reader does not know are skipped, and these stand far from those that Kafka may still give.
  lastProducerEpoch: int16('1+', { tag: 10_000, default: -1 }),
  inProcess: boolean('1+', { tag: 10_001 })
})

const KEY_VERSION = 0
const VALUE_VERSION = 1

/** Statuses by their number; 6 (dead) and 7 (fencing) are never logged. */
const statuses: readonly TransactionStatus[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort'
]

/** Key of a transactional id. */
export function encodeTransactionKey(transactionalId: string): Buffer {
  return withVersion(KEY_VERSION, encodeStruct(keySchema, KEY_VERSION, false, { transactionalId }))
}

/** State of a transactional id. */
export function encodeTransactionValue(transaction: Transaction): Buffer {
  const { partitions } = transaction
  const value = {
    producerId: transaction.producerId,
    previousProducerId: transaction.previousProducerId,
    nextProducerId: transaction.nextProducerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: statuses.indexOf(transaction.status),
    transactionPartitions:
      transaction.status === 'Empty' ? null : [...partitions].map(([topic, partitionIds]) => ({ topic, partitionIds })),
    transactionLastUpdateTimestampMs: transaction.lastUpdateMs,
    transactionStartTimestampMs: transaction.startMs,
    clientTransactionVersion: transaction.clientVersion,
    lastProducerEpoch: transaction.lastProducerEpoch,
    inProcess: transaction.inProcess
  }
  return withVersion(VALUE_VERSION, encodeStruct(valueSchema, VALUE_VERSION, true, value))
}

/** The transactional id of a key; undefined for a key of a newer kind. @throws DecodeError */
export function decodeTransactionKey(key: Buffer): string | undefined {
  if (versionOf(key, '__transaction_state') !== KEY_VERSION) return undefined
  return decodeStruct(keySchema, KEY_VERSION, false, key.subarray(2)).transactionalId
}

/** @throws DecodeError, InvariantError for a status that is never logged. */
export function decodeTransactionValue(transactionalId: string, value: Buffer): Transaction {
  const version = versionOf(value, '__transaction_state')
  const fields = decodeStruct(valueSchema, version, version >= 1, value.subarray(2))
  const status = statuses[fields.transactionStatus]
  if (status === undefined) {
    throw new InvariantError(`transactional id ${transactionalId} was logged with status ${fields.transactionStatus}`)
  }
  const partitions = fields.transactionPartitions?.map(({ topic, partitionIds }) => [topic, partitionIds] as const)
  return {
    transactionalId,
    producerId: fields.producerId,
    producerEpoch: fields.producerEpoch,
    lastProducerEpoch: fields.lastProducerEpoch,
    previousProducerId: fields.previousProducerId,
    nextProducerId: fields.nextProducerId,
    clientVersion: fields.clientTransactionVersion >= 2 ? 2 : 0,
    timeoutMs: fields.transactionTimeoutMs,
    status,
    partitions: partitions === undefined || partitions.length === 0 ? noPartitions : new Map(partitions),
    lastUpdateMs: fields.transactionLastUpdateTimestampMs,
    startMs: fields.transactionStartTimestampMs,
    inProcess: fields.inProcess
  }
}
