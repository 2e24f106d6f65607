import { MillraceError } from '@millrace/log'
import type { RecordOrigin } from '../graph/record.ts'

/**
 * A callback of the topology, or a serde while sending, threw on one record; `cause` is what it threw. The processing policy decides
 * what becomes of the record. During a commit's flush there is no source record: the topic is empty, partition and offset are -1.
 */
export class ProcessingError extends MillraceError {
  readonly code = 'STREAMS_PROCESSING'
  /** Name of the node that failed. */
  readonly node: string
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(node: string, origin: RecordOrigin, cause: unknown) {
    super(
      `${node} failed on ${describeOrigin(origin)}: ${causeMessage(cause)}; ` +
        'fix the callback, or set a processing policy (skip, deadLetter)',
      { cause }
    )
    this.node = node
    this.topic = origin.topic
    this.partition = origin.partition
    this.offset = origin.offset
  }
}

function describeOrigin(origin: RecordOrigin): string {
  return origin.partition < 0 ? "the commit's flush" : `${origin.topic}-${origin.partition} at offset ${origin.offset}`
}

/** The text of whatever was thrown. */
export function causeMessage(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
