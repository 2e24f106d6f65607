import { MillraceError } from '@millrace/log'

/** A file cannot be read on: it is missing, was replaced by another, shrank, or is no whole gzip file. What was read of it is on the log. */
export class SourceFileError extends MillraceError {
  readonly code = 'CONNECTORS_SOURCE_FILE'
  readonly file: string

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options)
    this.file = file
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
