import { MillraceError } from '@millrace/log'
import { parseCommandLine, USAGE } from './command-line.ts'
import { CONNECTORS_USAGE, isAboutConnectors, parseConnectorsLine } from './connectors-command-line.ts'
import { runConnectorsCommand } from './connectors-commands.ts'
import { CommandLineError } from './errors.ts'
import { runStreamsCommand } from './streams-commands.ts'

/** Where a run writes to. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Resolves when the user or the system wants the process to end; never when absent. */
  readonly interrupted?: Promise<void>
}

/**
 * Runs the command line tool; resolves with its exit code: 0, 1 for a finding or a failure, 2 for a wrong command line. Errors of Millrace are told
 * in a line, without a stack; what is none of them is a defect, and thrown.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    if (isAboutConnectors(args)) return await runAboutConnectors(args, terminal)
    const line = parseCommandLine(args)
    if (line === 'help') {
      terminal.out(`${USAGE}\n${CONNECTORS_USAGE}`)
      return 0
    }
    const { text, exitCode } = await runStreamsCommand(line)
    terminal.out(text)
    return exitCode
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    terminal.err(`millrace: ${error.message}\n`)
    if (!(error instanceof CommandLineError)) return 1
    terminal.err(`\n${isAboutConnectors(args) ? CONNECTORS_USAGE : `${USAGE}\n${CONNECTORS_USAGE}`}`)
    return 2
  }
}

async function runAboutConnectors(args: readonly string[], terminal: Terminal): Promise<number> {
  const line = parseConnectorsLine(args)
  if (line === 'help') {
    terminal.out(CONNECTORS_USAGE)
    return 0
  }
  return runConnectorsCommand(line, { interrupted: new Promise(() => undefined), ...terminal })
}
