import { parseArgs } from 'node:util'
import { CommandLineError } from './errors.ts'

/** Commands about topologies. */
export const STREAMS_COMMANDS = ['describe', 'mermaid', 'dot', 'lint', 'plan', 'diff', 'reset'] as const

/** One of {@link STREAMS_COMMANDS}. */
export type StreamsCommand = (typeof STREAMS_COMMANDS)[number]

/** What the command line asks for. */
export interface CommandLine {
  readonly command: StreamsCommand
  /** `FILE[#EXPORT]`: one, or two for `diff`. */
  readonly files: readonly string[]
  readonly log: string
  readonly json: boolean
  readonly dryRun: boolean
  readonly to: 'earliest' | 'latest' | undefined
  readonly stateDirectory: string | undefined
}

/** Printed for `--help` and after a wrong command line. */
export const USAGE = `Usage: millrace streams COMMAND FILE[#EXPORT] [options]

FILE is a module that exports a topology; EXPORT names it where there are several.

  describe FILE         the topology, as Kafka Streams describes one
  mermaid FILE          a Mermaid flowchart
  dot FILE              a Graphviz drawing
  lint FILE             what is legal and often not meant; ends with 1 if there are warnings
  plan FILE             topics that a start would make, keep or reject; ends with 1 if it could not start
  diff OLD NEW          what becomes of stores and topics; ends with 1 if a reset is needed
                        OLD and NEW: modules, or files that describe --json has written
  reset FILE            delete internal topics and local state, and set positions back

  --log URL             the log, for plan and reset            (file:./data)
  --json                print JSON
  --dry-run             reset: say what would be done, and do nothing
  --to earliest|latest  reset: where to begin anew             (as each source says)
  --state-dir DIR       reset: where stores are kept           (beside the log)
  --help

Ends with 0, with 1 for a finding or a failure, with 2 for a wrong command line.
`

/**
 * Reads the command line.
 * @throws CommandLineError saying what is wrong.
 */
export function parseCommandLine(args: readonly string[]): CommandLine | 'help' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  const [group, command, ...files] = positionals
  if (group === undefined) throw new CommandLineError('say what to do')
  if (group !== 'streams')
    throw new CommandLineError(`there is no command '${group}': write streams, connect or connectors`)
  if (!isStreamsCommand(command)) {
    const said = command === undefined ? 'streams needs a command' : `streams has no command '${command}'`
    throw new CommandLineError(`${said}: one of ${STREAMS_COMMANDS.join(', ')}`)
  }
  const needed = command === 'diff' ? 2 : 1
  if (files.length !== needed) {
    throw new CommandLineError(`${command} takes ${needed === 1 ? 'one file' : 'two files'}, not ${files.length}`)
  }
  if (command !== 'reset') {
    const out = (['dry-run', 'to', 'state-dir'] as const).find((option) => values[option] !== undefined)
    if (out !== undefined) throw new CommandLineError(`--${out} is for reset only`)
  }
  return {
    command,
    files,
    log: values.log ?? 'file:./data',
    json: values.json ?? false,
    dryRun: values['dry-run'] ?? false,
    to: placeOf(values.to),
    stateDirectory: values['state-dir']
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        log: { type: 'string' },
        json: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        to: { type: 'string' },
        'state-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h' }
      }
    })
  } catch (error) {
    throw new CommandLineError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function isStreamsCommand(command: string | undefined): command is StreamsCommand {
  return STREAMS_COMMANDS.some((known) => known === command)
}

function placeOf(to: string | undefined): CommandLine['to'] {
  if (to === undefined || to === 'earliest' || to === 'latest') return to
  throw new CommandLineError(`--to takes earliest or latest, not ${to}`)
}
