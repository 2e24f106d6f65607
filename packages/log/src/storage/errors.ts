import { FileSystemError, MillraceError } from '../errors.ts'

/**
 * The log directory can no longer be trusted to keep what is written to it: a sync failed, or a half-written batch could not
 * be taken back. Every partition of the directory refuses appends and commits from then on. Look after the disk, then restart.
 */
export class LogDirectoryFailedError extends MillraceError {
  readonly code = 'MILLRACE_LOG_DIRECTORY_FAILED'
  readonly path: string

  constructor(path: string, cause: unknown) {
    super(
      `The disk under ${path} failed (${reasonOf(cause)}): nothing more is accepted there. Check the disk, then restart the log`,
      { cause }
    )
    this.path = path
  }
}

/**
 * A batch could not be written, and nothing of it is left behind: the caller may send it again. `systemCode` is the operating
 * system's (`ENOSPC`: free some space first).
 */
export class AppendFailedError extends MillraceError {
  readonly code = 'MILLRACE_APPEND_FAILED'
  readonly path: string
  readonly systemCode: string

  constructor(path: string, cause: FileSystemError) {
    const remedy = cause.systemCode === 'ENOSPC' ? 'free some disk space and send it again' : 'send it again'
    super(`A batch was not written to ${path} (${cause.systemCode}) and nothing of it was kept: ${remedy}`, { cause })
    this.path = path
    this.systemCode = cause.systemCode
  }
}

/** The partition was closed (or its log with it) before the request was done. Open it again. */
export class PartitionClosedError extends MillraceError {
  readonly code = 'MILLRACE_PARTITION_CLOSED'
  readonly topic: string
  readonly partition: number

  constructor(topic: string, partition: number) {
    super(`Partition ${topic}-${partition} is closed: open its log again`)
    this.topic = topic
    this.partition = partition
  }
}

/** A topic configuration has a value that it cannot have. `configName` and `value` name it. */
export class InvalidConfigError extends MillraceError {
  readonly code = 'MILLRACE_INVALID_CONFIG'
  readonly configName: string
  readonly value: string

  constructor(configName: string, value: string, expected: string) {
    super(`Topic configuration ${configName} cannot be '${value}': it must be ${expected}`)
    this.configName = configName
    this.value = value
  }
}

/** Whether `error` is the operating system's answer that a name does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof FileSystemError && error.systemCode === 'ENOENT'
}

function reasonOf(cause: unknown): string {
  if (cause instanceof FileSystemError) return `${cause.systemCode} on ${cause.path}`
  return cause instanceof Error ? cause.message : String(cause)
}
