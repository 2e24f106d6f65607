import { MillraceError } from '@millrace/log'

/** The command line is wrong; the message says what and the usage follows. */
export class CommandLineError extends MillraceError {
  readonly code = 'CLICKS_COMMAND_LINE'
}
