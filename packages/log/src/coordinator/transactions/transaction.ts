/** Where a transactional id stands; Kafka's names. */
export type TransactionStatus =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'

/**
 * Version of the transaction protocol a client speaks: 2 is KIP-890 (partitions are added by producing to them, every end bumps
 * the epoch), 0 the older one.
 */
export type TransactionVersion = 0 | 2

/** Partitions of a transaction, by topic; each list sorted and without repeats. */
export type TransactionPartitions = ReadonlyMap<string, readonly number[]>

/**
 * The state of one transactional id. A value: every transition makes a new one, which is logged to `__transaction_state` as it
 * is.
 */
export interface Transaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  /** Epoch before the last bump that the client asked for, -1 when a retry of it must not be recognised. */
  readonly lastProducerEpoch: number
  /** Producer id before the last rollover; -1 when there was none. */
  readonly previousProducerId: number
  /** Producer id that the client was given when its epochs ran out at the end of this transaction; -1 when they did not. */
  readonly nextProducerId: number
  readonly clientVersion: TransactionVersion
  readonly timeoutMs: number
  readonly status: TransactionStatus
  readonly partitions: TransactionPartitions
  /** Milliseconds since the epoch. */
  readonly lastUpdateMs: number
  /** Milliseconds since the epoch; -1 when no transaction is open. */
  readonly startMs: number
  /** Whether the producer lives in the broker's process, so that it ends when the broker does. */
  readonly inProcess: boolean
}

/** A producer's name for one stretch of its life. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** No partitions. */
export const noPartitions: TransactionPartitions = new Map()

/**
 * The last epoch that a client may hold. The one after it, the greatest 16-bit number, is left for the markers that end the last
 * transaction of a producer id, and for fencing.
 */
export const LAST_CLIENT_EPOCH = 32_766

/** Whether the next epoch would be beyond what a client may hold, so that a new producer id is due. */
export function isEpochExhausted(epoch: number): boolean {
  return epoch >= LAST_CLIENT_EPOCH
}

/** Whether the end of the transaction is decided and its markers are on their way. */
export function isEnding(transaction: Transaction): boolean {
  return transaction.status === 'PrepareCommit' || transaction.status === 'PrepareAbort'
}

/** Whether the partition is part of the transaction. */
export function hasPartition(transaction: Transaction, topic: string, partition: number): boolean {
  return transaction.partitions.get(topic)?.includes(partition) ?? false
}

/** Whether all of `wanted` is part of the transaction. */
export function hasPartitions(transaction: Transaction, wanted: TransactionPartitions): boolean {
  for (const [topic, indexes] of wanted) {
    for (const index of indexes) if (!hasPartition(transaction, topic, index)) return false
  }
  return true
}

/** Both together. */
export function unionOfPartitions(left: TransactionPartitions, right: TransactionPartitions): TransactionPartitions {
  const union = new Map(left)
  for (const [topic, indexes] of right) {
    const merged = new Set([...(union.get(topic) ?? []), ...indexes])
    union.set(
      topic,
      [...merged].sort((a, b) => a - b)
    )
  }
  return union
}
