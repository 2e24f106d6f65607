import { MillraceError } from '@millrace/log'

/** The command line is wrong; the message says what, and the usage follows. */
export class CommandLineError extends MillraceError {
  readonly code = 'CLI_COMMAND_LINE'
}

/** A file that should hold a topology does not, or cannot be imported. `file` is as it was given. */
export class TopologyFileError extends MillraceError {
  readonly code = 'CLI_TOPOLOGY_FILE'
  readonly file: string

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options)
    this.file = file
  }
}

/** There is no log where one was expected. `directory` is as it was given. */
export class NoLogError extends MillraceError {
  readonly code = 'CLI_NO_LOG'
  readonly directory: string

  constructor(directory: string) {
    super(`${directory}: there is no log: name its directory, --log file:DIR`)
    this.directory = directory
  }
}

/** A file that should export connectors does not, or cannot be imported. `file` is as it was given. */
export class ConnectorFileError extends MillraceError {
  readonly code = 'CLI_CONNECTOR_FILE'
  readonly file: string

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options)
    this.file = file
  }
}
