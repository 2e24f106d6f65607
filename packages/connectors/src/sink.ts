import type { Environment, Header } from '@millrace/log'
import type { ConnectorEvent } from './connector-event.ts'

/**
 * A sink carries records from the log to another system, each exactly once in effect. It says how: `transactional` sinks commit the
 * offsets in the target's own transaction, together with the data and under an epoch that fences an older runner; `idempotent` ones
 * make a repeat harmless (deterministic ids, external versions), and the runner keeps their offsets in the consumer group.
 */
export type Sink = TransactionalSink | IdempotentSink

/** A target with transactions. The offsets live there, in a table (or the like) of the sink's. */
export interface TransactionalSink {
  /** Stable name: status, and the offsets in the target, are kept under it. Two running sinks of one name share its partitions. */
  readonly name: string
  readonly delivery: 'transactional'
  /**
   * Opens the partitions that this runner was given, and raises the fencing epoch in the target so that a runner which had them before
   * cannot commit any more.
   * @returns the committed next offset of each partition that has one, with the id of the topic that it was committed for; the others begin as
   * the consumer group says.
   */
  open(partitions: readonly OpenedPartition[], context: SinkContext): Promise<readonly SinkOffset[]>
  /**
   * Writes the records and the offsets after them in one transaction, or nothing. A batch without records only moves the offsets.
   * @throws SinkFencedError when a newer epoch is in the target: the runner closes and does not retry. TransientSinkError when the target
   * is away: the runner closes the sink, opens it again after a while, and gives the same batch unless the offsets that `open` returns show
   * that it was written. SinkSetupError stops the connector. PoisonousRecordError (or any other error) makes the runner bisect the batch down
   * to the record that fails.
   */
  write(batch: readonly SinkRecord[], offsets: readonly SinkOffset[]): Promise<void>
  /**
   * Told, while a batch is being written, of the one that will probably come next, the same records in the same order: what is computed of it now need not
   * be later. Writes nothing and never throws. Optional.
   */
  prepare?(batch: readonly SinkRecord[]): void
  /**
   * Sets the committed offsets of open partitions in the target, as an operator wants them, before the first `write`. Optional: without it the
   * offsets of this sink cannot be edited.
   */
  moveOffsets?(offsets: readonly SinkOffset[]): Promise<void>
  /** Releases what `open` took, also after an error; never while a `write` is under way. `open` may follow. */
  close(): Promise<void>
}

/** A target without transactions. `write` may be repeated with the same records, in the same order, and must leave the same state. */
export interface IdempotentSink {
  /** Stable name: status and offsets are kept under it. Two running sinks of one name share its partitions. */
  readonly name: string
  readonly delivery: 'idempotent'
  /** Told of the partitions that this runner was given, before the first `write` and after each rebalance. */
  open(partitions: readonly OpenedPartition[], context: SinkContext): Promise<void>
  /**
   * Resolves when the records are safe in the target; only then are their offsets committed. Errors as for a transactional sink, but after a
   * TransientSinkError the same batch is given again without opening anew.
   */
  write(batch: readonly SinkRecord[]): Promise<void>
  /** Releases what `open` took, also after an error; never while a `write` is under way. `open` may follow. */
  close(): Promise<void>
}

/** One partition of the log. */
export interface SinkPartition {
  readonly topic: string
  readonly partition: number
}

/** A partition that a sink is opened for. */
export interface OpenedPartition extends SinkPartition {
  /** Which a topic that was deleted and made anew does not share (KIP-516, as Kafka's tools print it): to be kept beside the offset. Absent: no broker has ids. */
  readonly topicId?: string | undefined
}

/** The next offset to be written of one partition. */
export interface SinkOffset extends SinkPartition {
  readonly offset: number
  /** Of what `open` returns: the `topicId` that the offset was committed under. Under another one than the topic's it counts for nothing. */
  readonly topicId?: string | undefined
}

/**
 * A record from the log. Topic, partition and offset say where it came from, whatever transforms did to it: together they are a deterministic id
 * (which records that a transform made out of one share).
 */
export interface SinkRecord extends SinkPartition {
  readonly offset: number
  /** Under which name a transform sent it on, for sinks that map topics to tables or files: `record.routedTo ?? record.topic`. */
  readonly routedTo?: string
  readonly key: Buffer | null
  /** Null is a tombstone: delete by key. */
  readonly value: Buffer | null
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly headers: readonly Header[]
}

/** What the runner gives a sink. */
export interface SinkContext {
  /** Aborted when the sink is to stop. */
  readonly signal: AbortSignal
  /** The clock and timers to use. */
  readonly environment: Environment
  /** Tells an operator something; it is shown in the connector's status and events. */
  report(event: ConnectorEvent): void
}
