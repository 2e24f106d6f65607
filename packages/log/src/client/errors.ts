import { MillraceError } from '../errors.ts'

/**
 * Another producer with the same transactional id has taken over, so this one is a zombie. Close it and do not start over: the other
 * one owns the work. A commit that was under way may have succeeded before the takeover.
 */
export class ProducerFencedError extends MillraceError {
  readonly code = 'MILLRACE_PRODUCER_FENCED'
  readonly transactionalId: string

  constructor(transactionalId: string, options?: ErrorOptions) {
    super(
      `producer '${transactionalId}' was fenced: another producer with this transactional id has taken over; close this one`,
      options
    )
    this.transactionalId = transactionalId
  }
}

/** The producer cannot go on, and nothing it does can repair that. Close it and make a new one; `cause` says why. */
export class FatalProducerError extends MillraceError {
  readonly code = 'MILLRACE_PRODUCER_FATAL'
}

/** The open transaction cannot commit. Call `abortTransaction`, then go on with the same producer; `cause` says why. */
export class AbortableTransactionError extends MillraceError {
  readonly code = 'MILLRACE_TRANSACTION_ABORTABLE'
}

/** The record belonged to a transaction that was aborted before the record was acknowledged. */
export class TransactionAbortedError extends MillraceError {
  readonly code = 'MILLRACE_TRANSACTION_ABORTED'
}

/**
 * The answer to a commit or an abort never came, so the transaction may have ended either way. Call the same method again to ask once more,
 * or `initTransactions` to have the coordinator settle it, and read committed offsets before going on.
 */
export class UnknownOutcomeError extends MillraceError {
  readonly code = 'MILLRACE_UNKNOWN_OUTCOME'
  readonly transactionalId: string

  constructor(transactionalId: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.transactionalId = transactionalId
  }
}

/** One record does not fit. Raise the limit it names, or make the record smaller. */
export class RecordTooLargeError extends MillraceError {
  readonly code = 'MILLRACE_RECORD_TOO_LARGE'
  readonly topic: string
  readonly partition: number
  readonly sizeBytes: number

  constructor(
    details: { message: string; topic: string; partition: number; sizeBytes: number },
    options?: ErrorOptions
  ) {
    super(details.message, options)
    this.topic = details.topic
    this.partition = details.partition
    this.sizeBytes = details.sizeBytes
  }
}

/** The producer's buffer stayed full for all of `deliveryTimeoutMs`: records come faster than brokers take them. Slow down and send again. */
export class BufferFullError extends MillraceError {
  readonly code = 'MILLRACE_BUFFER_FULL'
  readonly bufferBytes: number

  constructor(bufferBytes: number, waitedMs: number) {
    super(
      `no room in the producer's ${bufferBytes} bytes of buffer for ${waitedMs} ms: send more slowly or raise bufferBytes`
    )
    this.bufferBytes = bufferBytes
  }
}

/**
 * A broker refused records for good, or did not acknowledge them within `deliveryTimeoutMs` (`timedOut`; they may have been written all the
 * same). `cause` is the last answer.
 */
export class DeliveryError extends MillraceError {
  readonly code = 'MILLRACE_DELIVERY'
  readonly topic: string
  readonly partition: number
  readonly timedOut: boolean

  constructor(
    details: { message: string; topic: string; partition: number; timedOut: boolean },
    options?: ErrorOptions
  ) {
    super(details.message, options)
    this.topic = details.topic
    this.partition = details.partition
    this.timedOut = details.timedOut
  }
}

/** Brokers did not give a usable answer in time. The call may be repeated; `cause` is the last failure. */
export class ClientTimeoutError extends MillraceError {
  readonly code = 'MILLRACE_CLIENT_TIMEOUT'
}

/** The topic or partition does not exist, or not yet. Create it, or correct the name. */
export class UnknownTopicError extends MillraceError {
  readonly code = 'MILLRACE_UNKNOWN_TOPIC'
  readonly topic: string

  constructor(topic: string, message?: string, options?: ErrorOptions) {
    super(message ?? `topic '${topic}' does not exist: create it or correct the name`, options)
    this.topic = topic
  }
}

/** The topic exists and has no such partition. Send to one it has, or give the topic more partitions. */
export class UnknownPartitionError extends MillraceError {
  readonly code = 'MILLRACE_UNKNOWN_PARTITION'
  readonly topic: string
  readonly partition: number
  /** How many partitions the topic has. */
  readonly partitions: number

  constructor(details: { readonly topic: string; readonly partition: number; readonly partitions: number }) {
    const { topic, partition, partitions } = details
    const has = partitions === 1 ? 'one partition, 0' : `${partitions} partitions, 0 to ${partitions - 1}`
    super(`topic '${topic}' has no partition ${partition}, it has ${has}: send to one of them, or leave it to the key`)
    this.topic = topic
    this.partition = partition
    this.partitions = partitions
  }
}

/** A topic of this name is there already. Use it, or choose another name. */
export class TopicExistsError extends MillraceError {
  readonly code = 'MILLRACE_TOPIC_EXISTS'
  readonly topic: string

  constructor(topic: string, options?: ErrorOptions) {
    super(`topic '${topic}' exists already`, options)
    this.topic = topic
  }
}

/**
 * The position lies outside what the partition still holds, or (`offset` -1) no position was ever committed, and `offsetReset` is `none`.
 * Decide where to go on, and `seek` there.
 */
export class OffsetOutOfRangeError extends MillraceError {
  readonly code = 'MILLRACE_OFFSET_OUT_OF_RANGE'
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(details: { topic: string; partition: number; offset: number }) {
    const what =
      details.offset < 0 ? 'has no committed position' : `no longer (or not yet) holds offset ${details.offset}`
    super(`${partitionName(details)} ${what}, and offsetReset is 'none': seek to where reading should go on`)
    this.topic = details.topic
    this.partition = details.partition
    this.offset = details.offset
  }
}

/** A fetched batch is not what was written. Fetch it again (`seek` to `offset`), or skip it (`seek` beyond it) and accept the loss. */
export class CorruptBatchError extends MillraceError {
  readonly code = 'MILLRACE_CORRUPT_BATCH'
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(details: { topic: string; partition: number; offset: number; reason: string }, options?: ErrorOptions) {
    super(`the batch at offset ${details.offset} of ${partitionName(details)} is damaged: ${details.reason}`, options)
    this.topic = details.topic
    this.partition = details.partition
    this.offset = details.offset
  }
}

/**
 * The group has moved on without this member: its partitions may belong to another one, so its offsets are not accepted. Do not commit them
 * again; drop the work in hand and poll, which joins the group anew.
 */
export class CommitRefusedError extends MillraceError {
  readonly code = 'MILLRACE_COMMIT_REFUSED'
  readonly groupId: string

  constructor(groupId: string, options?: ErrorOptions) {
    super(
      `group '${groupId}' refused the offsets of a member it no longer knows in this generation: drop them and poll`,
      options
    )
    this.groupId = groupId
  }
}

/** The consumer cannot be a member of the group: another one has its `groupInstanceId`, or the protocols do not match. Close it. */
export class GroupMembershipError extends MillraceError {
  readonly code = 'MILLRACE_GROUP_MEMBERSHIP'
  readonly groupId: string

  constructor(groupId: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.groupId = groupId
  }
}

function partitionName({ topic, partition }: { topic: string; partition: number }): string {
  return `partition ${partition} of '${topic}'`
}
