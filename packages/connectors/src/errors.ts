import { MillraceError } from '@millrace/log'

/** The outer system cannot answer now and may later: the runner tries again with backoff. */
export class TransientSourceError extends MillraceError {
  readonly code = 'CONNECTORS_TRANSIENT_SOURCE'
}

/** The target cannot take the batch now and may later: the runner gives it the same batch again, with backoff. */
export class TransientSinkError extends MillraceError {
  readonly code = 'CONNECTORS_TRANSIENT_SINK'
}

/**
 * A newer runner has taken over the sink's partitions; nothing of this one's last batch was written. The runner closes the sink, and comes back as a
 * new member of the group, a few times at most.
 */
export class SinkFencedError extends MillraceError {
  readonly code = 'CONNECTORS_SINK_FENCED'
  readonly sink: string
  readonly epoch: number

  constructor(sink: string, epoch: number) {
    super(`sink ${sink} was taken over by another runner: the epoch ${epoch} of this one is no longer the target's`)
    this.sink = sink
    this.epoch = epoch
  }
}

/** One record can never be written (a constraint, a type). `offset` says which, so that the runner need not bisect. */
export class PoisonousRecordError extends MillraceError {
  readonly code = 'CONNECTORS_POISONOUS_RECORD'
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(
    where: { readonly topic: string; readonly partition: number; readonly offset: number },
    reason: string,
    options?: ErrorOptions
  ) {
    super(
      `the record at offset ${where.offset} of ${where.topic}-${where.partition} cannot be written: ${reason}`,
      options
    )
    this.topic = where.topic
    this.partition = where.partition
    this.offset = where.offset
  }
}

/**
 * The target is not set up for what the sink is to do (a table, a column, a privilege is missing): no record is to blame, so none becomes a dead
 * letter. The connector stops, nothing is lost; mend the target and restart it.
 */
export abstract class SinkSetupError extends MillraceError {}
