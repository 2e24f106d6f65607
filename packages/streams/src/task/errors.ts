import { MillraceError } from '@millrace/log'
import type { RecordOrigin } from '../graph/record.ts'
import { causeMessage, type ProcessingError } from '../processor/errors.ts'

/** A record's key or value is not what the source's serde reads; `cause` is what the serde threw. The deserialization policy decides. */
export class DeserializationError extends MillraceError {
  readonly code = 'STREAMS_DESERIALIZATION'
  /** Name of the source. */
  readonly node: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly part: 'key' | 'value'

  constructor(details: { node: string; origin: RecordOrigin; part: 'key' | 'value' }, cause: unknown) {
    const { node, origin, part } = details
    super(
      `the ${part} of ${origin.topic}-${origin.partition} at offset ${origin.offset} cannot be read by ${node}: ` +
        `${causeMessage(cause)}; use the serde it was written with, or set a deserialization policy (skip, deadLetter)`,
      { cause }
    )
    this.node = node
    this.topic = origin.topic
    this.partition = origin.partition
    this.offset = origin.offset
    this.part = part
  }
}

/**
 * A result that an aggregation emitted at the commit could not be processed further; `cause` says where and why. There is no source record
 * to skip: the store keeps the change, and the processing policy decides about this one emission.
 */
export class EmissionError extends MillraceError {
  readonly code = 'STREAMS_EMISSION'
  /** The node that emitted. */
  readonly node: string
  /** The emitted key, as text. */
  readonly key: string

  constructor(node: string, key: unknown, cause: ProcessingError) {
    const text = describeKey(key)
    super(`the result that ${node} emitted for key ${text} at the commit failed: ${cause.message}`, { cause })
    this.node = node
    this.key = text
  }
}

function describeKey(key: unknown): string {
  if (Buffer.isBuffer(key)) return key.toString('hex')
  return typeof key === 'string' ? key : (JSON.stringify(key) ?? String(key))
}
