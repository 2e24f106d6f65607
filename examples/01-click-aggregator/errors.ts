import { MillraceError } from '@millrace/log'

/** The command line is wrong; the message says what and the usage follows. */
export class CommandLineError extends MillraceError {
  readonly code = 'CLICKS_COMMAND_LINE'
}

/** An input file cannot be read on: it is missing, was replaced by another, shrank, or is no valid gzip. */
export class InputFileError extends MillraceError {
  readonly code = 'CLICKS_INPUT_FILE'
  readonly file: string

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options)
    this.file = file
  }
}
