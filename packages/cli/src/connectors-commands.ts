import {
  type ConnectorFailure,
  type ConnectorInfo,
  type ConnectorsControl,
  type DeadLetter,
  type DeadLetterPlace,
  type OffsetChange,
  type OffsetListing,
  openControl,
  runConnectors
} from '@millrace/connectors'
import { loadConnectors } from './connector-file.ts'
import type { ConnectorsLine } from './connectors-command-line.ts'
import { CommandLineError, NoLogError } from './errors.ts'
import { missingDirectory } from './missing-directory.ts'

/** Without a limit, of the newest. */
const NEWEST_LETTERS = 100
const PAGE_LETTERS = 1000

/** Where a running command writes, and how it hears that it is to end. */
export interface ConnectTerminal {
  out(text: string): void
  err(text: string): void
  /** Resolves when the user or the system wants the process to end. */
  readonly interrupted: Promise<void>
}

/** Carries a command out. @returns the exit code. */
export async function runConnectorsCommand(line: ConnectorsLine, terminal: ConnectTerminal): Promise<0 | 1> {
  if (line.command === 'connect') return connect(line, terminal)
  const missing = missingDirectory(line.log)
  if (missing !== undefined) throw new NoLogError(missing)
  const { control, close } = await openControl(line.log)
  try {
    if (line.command === 'dlq-list') {
      await listDeadLetters(control, line, terminal)
      return 0
    }
    const { value, text } = await ask(control, line)
    terminal.out(line.json ? `${JSON.stringify(value, undefined, 2)}\n` : text)
    return 0
  } finally {
    await close()
  }
}

async function connect({ subject, log }: ConnectorsLine, terminal: ConnectTerminal): Promise<0 | 1> {
  const app = await runConnectors({ log, connectors: await loadConnectors(subject) })
  for (const connector of app.connectors) {
    const { name } = connector
    const tell = ({ outcome, error }: ConnectorFailure) => {
      terminal.err(`${name}: ${outcome}: ${error instanceof Error ? error.message : String(error)}\n`)
    }
    // Of what came before anybody could listen.
    const { lastFailure } = connector.health()
    if (lastFailure !== undefined) tell(lastFailure)
    connector.state$.subscribe(({ status }) => terminal.out(`${name}: ${status}\n`))
    connector.events$.subscribe(({ level, message }) => terminal.err(`${name}: ${level}: ${message}\n`))
    connector.errors$.subscribe(tell)
  }
  const ended = app.done.then(
    () => 0 as const,
    () => 1 as const
  )
  const exitCode = await Promise.race([ended, terminal.interrupted.then(() => 0 as const)])
  await app.close()
  return exitCode
}

/** Page by page: there may be more of them than memory. */
async function listDeadLetters(
  control: ConnectorsControl,
  line: ConnectorsLine,
  terminal: ConnectTerminal
): Promise<void> {
  const { subject, json, newest } = line
  let left = line.limit ?? (newest ? NEWEST_LETTERS : Number.POSITIVE_INFINITY)
  let after: DeadLetterPlace | undefined
  let isFirst = true
  do {
    const limit = newest ? left : Math.min(left, PAGE_LETTERS)
    const { letters, next } = await control.deadLetters(subject, { limit, after, newest })
    for (const letter of letters) {
      terminal.out(json ? `${isFirst ? '[' : ','}\n${JSON.stringify(letter, undefined, 2)}` : letterLine(letter))
      isFirst = false
    }
    left -= letters.length
    after = next
  } while (after !== undefined && left > 0)
  if (json) terminal.out(isFirst ? '[]\n' : '\n]\n')
  else if (isFirst) terminal.out('no dead letters\n')
}

interface Answer {
  readonly value: unknown
  readonly text: string
}

async function ask(
  control: ConnectorsControl,
  { command, subject, changes }: Pick<ConnectorsLine, 'command' | 'subject' | 'changes'>
): Promise<Answer> {
  switch (command) {
    case 'list': {
      const value = await control.list()
      return { value, text: value.length === 0 ? 'no connectors\n' : value.map(infoLine).join('') }
    }
    case 'offsets-show': {
      const value = await control.offsets(subject)
      return { value, text: formatOffsets(value) }
    }
    case 'offsets-edit':
      await control.editOffsets(subject, changes.map(changeOf))
      return { value: await control.offsets(subject), text: `${subject}: goes on there at its next start\n` }
    case 'dlq-replay': {
      const sent = await control.replay(subject)
      return { value: { sent }, text: `${sent} sent back\n` }
    }
    case 'pause':
    case 'resume':
    case 'stop':
    case 'restart':
      await control[command](subject)
  }
  const value = await control.status(subject)
  return { value, text: infoLine(value) }
}

function infoLine({ name, type, state, target, progress, lag, trace }: ConnectorInfo): string {
  const parts = [`${name}  ${type}  ${state}  wanted: ${target}`]
  if (state !== 'UNASSIGNED' && progress !== undefined) parts.push(progress)
  if (lag !== undefined) parts.push(`lag ${lag}`)
  if (trace !== undefined) parts.push(trace)
  return `${parts.join('  ')}\n`
}

function formatOffsets(listing: OffsetListing): string {
  if (listing.type === 'source') {
    if (listing.positions.length === 0) return 'no positions\n'
    return listing.positions.map(({ split, position }) => `${split}=${JSON.stringify(position)}\n`).join('')
  }
  const { partitions, pending, keptBy } = listing
  const lines = partitions.map(({ topic, partition, offset, lag }) => `${topic}-${partition}=${offset}  lag ${lag}\n`)
  const wanted = pending.map(({ topic, partition, offset }) => `${topic}-${partition}=${offset}  at its next start\n`)
  const note = keptBy === 'target' ? ['the target keeps the offsets; these are the last it told the group\n'] : []
  return lines.length + wanted.length === 0 ? 'no offsets\n' : [...lines, ...wanted, ...note].join('')
}

function letterLine({ partition, offset, origin, stage, message, replayed, key }: DeadLetter): string {
  const from = origin.offset < 0 ? origin.topic : `${origin.topic}-${origin.partition}@${origin.offset}`
  return `${partition}@${offset}  from ${from}  key ${key}  ${stage}: ${message}${replayed ? '  (sent back)' : ''}\n`
}

function changeOf(text: string): OffsetChange {
  const at = text.indexOf('=')
  if (at === -1) throw new CommandLineError(`'${text}' is no PLACE=VALUE`)
  try {
    return { place: text.slice(0, at), value: JSON.parse(text.slice(at + 1)) }
  } catch (cause) {
    throw new CommandLineError(`the value in '${text}' is no JSON`, { cause })
  }
}
