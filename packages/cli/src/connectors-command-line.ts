import { parseArgs } from 'node:util'
import { CommandLineError } from './errors.ts'

/** What a command line about connectors asks for. */
export interface ConnectorsLine {
  readonly command: ConnectorsCommand
  /** The module of `connect`; else the connector's name, empty for `list`. */
  readonly subject: string
  /** Of `offsets-edit`: `PLACE=VALUE`. */
  readonly changes: readonly string[]
  readonly log: string
  readonly json: boolean
  /** Of `dlq-list`: how many at most, and whether the newest. */
  readonly limit: number | undefined
  readonly newest: boolean
}

/** What can be asked for. */
export type ConnectorsCommand =
  | 'connect'
  | 'list'
  | 'status'
  | 'pause'
  | 'resume'
  | 'stop'
  | 'restart'
  | 'offsets-show'
  | 'offsets-edit'
  | 'dlq-list'
  | 'dlq-replay'

/** Words that come before a connector's name, and what they ask for. */
const WORDS: ReadonlyMap<string, ConnectorsCommand> = new Map<string, ConnectorsCommand>([
  ['status', 'status'],
  ['pause', 'pause'],
  ['resume', 'resume'],
  ['stop', 'stop'],
  ['restart', 'restart'],
  ['offsets show', 'offsets-show'],
  ['offsets edit', 'offsets-edit'],
  ['dlq list', 'dlq-list'],
  ['dlq replay', 'dlq-replay']
])

/** Part of the usage. */
export const CONNECTORS_USAGE = `Usage: millrace connect FILE [--log URL]

Runs the connectors that a module exports, until they end or the process is interrupted.

Usage: millrace connectors COMMAND [options]

  list                              all connectors that the log knows
  status NAME                       state, progress, lag, last failure
  pause|resume|stop|restart NAME    what is wanted of it is kept on the log; resume also undoes stop
  offsets show NAME                 where it goes on
  offsets edit NAME PLACE=VALUE …   only while it is stopped. PLACE: a split of a source (empty for its only one), with its position as JSON;
                                    or TOPIC-PARTITION of a sink, with an offset. null begins anew
  dlq list NAME                     dead letters, oldest first within each partition; --limit N: no more than N; --newest: the newest first (100
                                    without --limit)
  dlq replay NAME                   sends those back that were not yet

A log that is open in another process is asked there, through the socket in its directory.
`

/** Whether these arguments are about connectors. */
export function isAboutConnectors([group]: readonly string[]): boolean {
  return group === 'connect' || group === 'connectors'
}

/** Reads the command line. @throws CommandLineError saying what is wrong. */
export function parseConnectorsLine(args: readonly string[]): ConnectorsLine | 'help' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  const [group, ...words] = positionals
  const options = {
    log: values.log ?? 'file:./data',
    json: values.json ?? false,
    limit: values.limit === undefined ? undefined : countOf(values.limit),
    newest: values.newest ?? false
  }
  if (group === 'connect') {
    if (words.length !== 1) throw new CommandLineError(`connect takes one file, not ${words.length}`)
    return { command: 'connect', subject: words[0], changes: [], ...options }
  }
  if (words[0] === 'list') {
    if (words.length > 1) throw new CommandLineError('connectors list takes no name')
    return { command: 'list', subject: '', changes: [], ...options }
  }
  const two = WORDS.get(words.slice(0, 2).join(' '))
  const command = two ?? WORDS.get(words[0] ?? '')
  if (command === undefined)
    throw new CommandLineError(`connectors needs a command: list, ${[...WORDS.keys()].join(', ')}`)
  const [name, ...changes] = words.slice(two === undefined ? 1 : 2)
  if (name === undefined) throw new CommandLineError(`connectors ${words.join(' ')} needs the name of a connector`)
  if (command !== 'dlq-list' && (options.newest || options.limit !== undefined))
    throw new CommandLineError('--limit and --newest are options of dlq list')
  const edits = command === 'offsets-edit'
  if (edits && changes.length === 0) throw new CommandLineError('offsets edit needs a PLACE=VALUE')
  if (!edits && changes.length > 0) throw new CommandLineError(`'${changes[0]}' is one word too many`)
  return { command, subject: name, changes, ...options }
}

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new CommandLineError(`--limit takes a whole number above 0, not ${text}`)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        log: { type: 'string' },
        json: { type: 'boolean' },
        limit: { type: 'string' },
        newest: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' }
      }
    })
  } catch (error) {
    throw new CommandLineError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
