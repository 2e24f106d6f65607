import { MillraceError } from '@millrace/log'
import type { RecordOrigin } from '../graph/record.ts'
import type { SuppressBounds } from '../graph/suppress-node.ts'

/** Of what a punctuation does: it comes from no record. */
export const punctuationOrigin: RecordOrigin = Object.freeze({ topic: '', partition: -1, offset: -1 })

/**
 * A callback of the topology, or a serde while sending, threw on one record; `cause` is what it threw. The processing policy decides
 * what becomes of the record. During a commit's flush, and in a punctuation, there is no source record: the topic is empty, partition and offset are -1.
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

/** A suppress held back more at a commit than it was allowed, and is to stop then. The application fails. */
export class BufferFullError extends MillraceError {
  readonly code = 'STREAMS_BUFFER_FULL'
  /** Name of the node whose buffer it is. */
  readonly node: string
  readonly records: number
  /** Of keys and values as they are written; 0 where bytes are not bounded. */
  readonly bytes: number

  constructor(
    node: string,
    { records, bytes }: { readonly records: number; readonly bytes: number },
    { maxRecords, maxBytes }: SuppressBounds
  ) {
    const limits = [
      ...(maxRecords === undefined ? [] : [`${maxRecords} records`]),
      ...(maxBytes === undefined ? [] : [`${maxBytes} bytes`])
    ]
    super(
      `${node} holds back ${records} records (${bytes} bytes) and may hold ${limits.join(' and ')}: ` +
        "raise its bounds, or let it emit early: { whenFull: 'emit-early' }"
    )
    this.node = node
    this.records = records
    this.bytes = bytes
  }
}

function describeOrigin(origin: RecordOrigin): string {
  if (origin === punctuationOrigin) return 'a punctuation'
  return origin.partition < 0 ? "the commit's flush" : `${origin.topic}-${origin.partition} at offset ${origin.offset}`
}

/** The text of whatever was thrown. */
export function causeMessage(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** A call of an asynchronous function took longer than it may. It counts as failed: it is repeated, or the processing policy decides. */
export class AsyncTimeoutError extends MillraceError {
  readonly code = 'STREAMS_ASYNC_TIMEOUT'
  readonly timeoutMs: number
  /** 1 for the first. */
  readonly attempt: number

  constructor(timeoutMs: number, attempt: number) {
    super(
      `call ${attempt} was not done within ${timeoutMs} ms: raise { timeout }, or let the function heed its signal and fail sooner`
    )
    this.timeoutMs = timeoutMs
    this.attempt = attempt
  }
}
