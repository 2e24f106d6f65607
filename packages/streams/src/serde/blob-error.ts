import { MillraceError } from '@millrace/log'

/**
 * A value that was put beside the log is not there, or not what was put. Bring the blob back (from a backup, or by mounting the directory that was
 * written to) and start again; to go on without the record is the deserialization policy's decision.
 */
export class BlobError extends MillraceError {
  readonly code = 'STREAMS_BLOB'
  readonly problem: 'missing' | 'corrupt'
  /** The blob's name: the SHA-256 of its bytes, in hexadecimal. */
  readonly reference: string
  readonly location: string

  constructor(details: {
    readonly problem: 'missing' | 'corrupt'
    readonly reference: string
    readonly location: string
    readonly found?: string
  }) {
    const { problem, reference, location, found } = details
    const what = problem === 'missing' ? 'is missing' : `is not what was written (${found})`
    super(`blob ${reference} ${what} in ${location}: restore it there, and start again`)
    this.problem = problem
    this.reference = reference
    this.location = location
  }
}
