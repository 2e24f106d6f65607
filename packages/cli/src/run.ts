import { MillraceError } from '@millrace/log'
import { parseCommandLine, USAGE } from './command-line.ts'
import { CommandLineError } from './errors.ts'
import { runStreamsCommand } from './streams-commands.ts'

/** Where a run writes to. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
}

/**
 * Runs the command line tool; resolves with its exit code: 0, 1 for a finding or a failure, 2 for a wrong command line. Errors of Millrace are told
 * in a line, without a stack; what is none of them is a defect, and thrown.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const line = parseCommandLine(args)
    if (line === 'help') {
      terminal.out(USAGE)
      return 0
    }
    const { text, exitCode } = await runStreamsCommand(line)
    terminal.out(text)
    return exitCode
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    terminal.err(`millrace: ${error.message}\n`)
    if (!(error instanceof CommandLineError)) return 1
    terminal.err(`\n${USAGE}`)
    return 2
  }
}
