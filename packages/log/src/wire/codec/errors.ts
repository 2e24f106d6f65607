import { MillraceError } from '../../errors.ts'

/** Where and why bytes are not what a declaration says. */
export interface DecodeFailure {
  /** What is wrong, without the place. */
  readonly reason: string
  /** Name of the field, outermost first: `topics[2].partitions[0].offset`; empty outside of a field. */
  readonly path: string
  /** Byte position within the decoded buffer. */
  readonly position: number
}

/** Bytes do not decode as the message, record batch or record they should be. The sender is at fault, or the bytes are damaged. */
export class DecodeError extends MillraceError implements DecodeFailure {
  readonly code = 'MILLRACE_DECODE'
  readonly reason: string
  readonly path: string
  readonly position: number

  constructor(failure: DecodeFailure, options?: ErrorOptions) {
    const field = failure.path === '' ? '' : ` in ${failure.path}`
    super(`cannot decode${field} at byte ${failure.position}: ${failure.reason}`, options)
    this.reason = failure.reason
    this.path = failure.path
    this.position = failure.position
  }
}

/** A value is not what the declaration of its message allows: fix the caller. `path` names the field. */
export class EncodeError extends MillraceError {
  readonly code = 'MILLRACE_ENCODE'
  readonly reason: string
  readonly path: string

  constructor(reason: string, path = '', options?: ErrorOptions) {
    super(`cannot encode${path === '' ? '' : ` ${path}`}: ${reason}`, options)
    this.reason = reason
    this.path = path
  }
}

/** The same error seen from one level further out, where the field or element has a name. */
export function within(error: unknown, name: string): unknown {
  if (error instanceof DecodeError) return new DecodeError({ ...failureOf(error), path: join(name, error.path) })
  if (error instanceof EncodeError) return new EncodeError(error.reason, join(name, error.path))
  // Buffer's own range checks of integers.
  if (error instanceof RangeError || error instanceof TypeError) return new EncodeError(error.message, name)
  return error
}

function failureOf({ reason, position }: DecodeError): Omit<DecodeFailure, 'path'> {
  return { reason, position }
}

function join(outer: string, inner: string): string {
  if (inner === '') return outer
  return inner.startsWith('[') ? outer + inner : `${outer}.${inner}`
}
