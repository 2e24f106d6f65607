/**
 * The roots of every error thrown by Millrace. One class per decision that a caller can take, a stable `code`, typed fields that
 * say where, the `cause` kept, and a message of the form: what happened, where, what to do.
 */
export abstract class MillraceError extends Error {
  /** Stable, upper-case, never reused: what programs branch on. */
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The caller used an API against its contract (a closed producer, an option out of range). Fix the program. */
export class UsageError extends MillraceError {
  readonly code = 'MILLRACE_USAGE'
}

/** An invariant of Millrace itself does not hold. Please report it; the process should stop. */
export class InvariantError extends MillraceError {
  readonly code = 'MILLRACE_INVARIANT'
}

/** The operating system refused a file operation. `systemCode` is its code, `path` the file. */
export class FileSystemError extends MillraceError {
  readonly code = 'MILLRACE_FILE_SYSTEM'
  readonly systemCode: string
  readonly path: string

  constructor(details: { message: string; systemCode: string; path: string }, options?: ErrorOptions) {
    super(details.message, options)
    this.systemCode = details.systemCode
    this.path = details.path
  }
}

/** A connection could not be made or broke. `systemCode` is the operating system's code (`ECONNREFUSED` ...). Retry, or fix the address. */
export class NetworkError extends MillraceError {
  readonly code = 'MILLRACE_NETWORK'
  readonly systemCode: string
  readonly host: string
  readonly port: number

  constructor(details: { message: string; systemCode: string; host: string; port: number }, options?: ErrorOptions) {
    super(details.message, options)
    this.systemCode = details.systemCode
    this.host = details.host
    this.port = details.port
  }
}

/** Another process (or another log in this one) holds the directory. */
export class LockHeldError extends MillraceError {
  readonly code = 'MILLRACE_LOCK_HELD'
  readonly path: string
  readonly holder: string

  constructor(path: string, holder: string) {
    super(`${path} is in use by ${holder}: close that one first, or open another directory`)
    this.path = path
    this.holder = holder
  }
}

/** Bytes that should be there are missing or wrong. `path` and `position` (bytes) say where. */
export class CorruptionError extends MillraceError {
  readonly code = 'MILLRACE_CORRUPTION'
  readonly path: string
  readonly position: number

  constructor(details: { message: string; path: string; position: number }, options?: ErrorOptions) {
    super(details.message, options)
    this.path = details.path
    this.position = details.position
  }
}

/** The data directory was written by another version of the format, or is no Millrace directory. */
export class FormatVersionError extends MillraceError {
  readonly code = 'MILLRACE_FORMAT_VERSION'
  readonly path: string

  constructor(path: string, message: string) {
    super(message)
    this.path = path
  }
}
