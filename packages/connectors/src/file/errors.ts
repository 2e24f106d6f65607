import { MillraceError } from '@millrace/log'
import { SinkSetupError } from '../errors.ts'

/** A file cannot be read on: it is missing, was replaced by another, shrank, or is no whole gzip file. What was read of it is on the log. */
export class SourceFileError extends MillraceError {
  readonly code = 'CONNECTORS_SOURCE_FILE'
  readonly file: string

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options)
    this.file = file
  }
}

/**
 * The directory of a file sink holds files of another log, or of a topic that was deleted and made anew: the offsets in their names say nothing of the
 * records that are to be written, and would be written over.
 */
export class ForeignFilesError extends SinkSetupError {
  readonly code = 'CONNECTORS_FOREIGN_FILES'
  readonly directory: string
  readonly topic: string

  constructor(sink: string, where: { readonly directory: string; readonly topic: string }, detail: string) {
    super(
      `sink ${sink}: ${where.directory} holds files of another topic ${where.topic} than the log has (${detail}): give the sink another directory, or move ` +
        'what is in this one away, hidden files too'
    )
    this.directory = where.directory
    this.topic = where.topic
  }
}

/** A value does not fit the type that its column has in the file's format. */
export class RowFormatError extends MillraceError {
  readonly code = 'CONNECTORS_ROW_FORMAT'
  readonly column: string

  constructor(column: string, problem: string) {
    super(`column ${column}: ${problem}`)
    this.column = column
  }
}

/**
 * The directory of a file sink does not take what is to be written, whatever record it is: it is read-only, or the disk fails. What was not finished is
 * delivered again. A full disk is tried again by itself.
 */
export class SinkDirectoryError extends SinkSetupError {
  readonly code = 'CONNECTORS_SINK_DIRECTORY'
  readonly directory: string

  constructor(sink: string, directory: string, cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    super(`sink ${sink} cannot write into ${directory}: ${detail}`, { cause })
    this.directory = directory
  }
}
