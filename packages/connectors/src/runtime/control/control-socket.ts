import {
  type Connection,
  type Environment,
  type Listener,
  LockHeldError,
  type Log,
  MillraceError,
  openLog,
  realEnvironment
} from '@millrace/log'
import { ControlError, NoControlSocketError } from '../errors.ts'
import { messageOf } from '../failure.ts'
import { type ConnectorsControl, connectorsControl } from './connectors-control.ts'

/** Beside the log's files: only who may write there may connect. */
const SOCKET = 'connect.sock'
/** A question or an answer longer than this is none of ours. */
const MOST_BYTES = 64 << 20

const COMMANDS = [
  'list',
  'status',
  'pause',
  'resume',
  'stop',
  'restart',
  'offsets',
  'editOffsets',
  'deadLetters',
  'replay'
] as const
type Command = (typeof COMMANDS)[number]

/** A socket in the log's directory, through which other processes see and steer the connectors of this one. One line of JSON each way. */
export async function listenForControl(log: Log, directory: string): Promise<Listener> {
  const { files, network } = log.environment
  const host = `${directory}/${SOCKET}`
  // Whoever left it there is gone: the log's lock is ours.
  if (files.exists(host)) files.remove(host)
  const control = connectorsControl(log)
  return await network.listen({ host, port: 0 }, (connection) => {
    receiveLine(connection, (line) => {
      void answer(control, line).then((text) => {
        connection.write([Buffer.from(`${text}\n`)])
        connection.close()
      })
    })
  })
}

async function answer(control: ConnectorsControl, line: string): Promise<string> {
  try {
    const { command, args } = JSON.parse(line)
    if (!isCommand(command) || !Array.isArray(args)) throw new ControlError(`'${command}' is no command`, 'UNKNOWN')
    const method: (...given: never[]) => Promise<unknown> = control[command]
    return JSON.stringify({ result: (await Reflect.apply(method, control, args)) ?? null })
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : 'UNKNOWN'
    return JSON.stringify({ error: { code, message: messageOf(error) } })
  }
}

function isCommand(command: unknown): command is Command {
  return COMMANDS.some((known) => known === command)
}

/** A control, and what lets it go. */
export interface OpenedControl {
  readonly control: ConnectorsControl
  close(): Promise<void>
}

/**
 * The control of a log wherever it is open: opens it when nobody has it, and else asks the process that has.
 * @throws NoControlSocketError when that process cannot be asked; what opening the log throws.
 */
export async function openControl(url: string, environment: Environment = realEnvironment()): Promise<OpenedControl> {
  try {
    const log = await openLog(url)
    return { control: connectorsControl(log), close: () => log.close() }
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    const directory = error.path.slice(0, error.path.lastIndexOf('/'))
    const { holder } = error
    return { control: remoteControl({ environment, directory, holder }), close: async () => {} }
  }
}

interface RemoteLog {
  readonly environment: Environment
  readonly directory: string
  readonly holder: string
}

function remoteControl(remote: RemoteLog): ConnectorsControl {
  return {
    list: () => ask(remote, 'list'),
    status: (name) => ask(remote, 'status', name),
    pause: (name) => ask(remote, 'pause', name),
    resume: (name) => ask(remote, 'resume', name),
    stop: (name) => ask(remote, 'stop', name),
    restart: (name) => ask(remote, 'restart', name),
    offsets: (name) => ask(remote, 'offsets', name),
    editOffsets: (name, changes) => ask(remote, 'editOffsets', name, changes),
    deadLetters: (name, query = {}) => ask(remote, 'deadLetters', name, query),
    replay: (name) => ask(remote, 'replay', name)
  }
}

async function ask<T>(remote: RemoteLog, command: Command, ...args: readonly unknown[]): Promise<T> {
  const connection = await connect(remote)
  const line = await new Promise<string>((resolve, reject) => {
    receiveLine(connection, resolve)
    connection.onClose((error) => reject(closed(remote, error)))
    connection.write([Buffer.from(`${JSON.stringify({ command, args })}\n`)])
  })
  const { result, error } = JSON.parse(line)
  if (error !== undefined) throw new ControlError(error.message, error.code)
  return result
}

async function connect({ environment, directory, holder }: RemoteLog): Promise<Connection> {
  try {
    return await environment.network.connect({ host: `${directory}/${SOCKET}`, port: 0 })
  } catch (cause) {
    throw new NoControlSocketError(directory, holder, { cause })
  }
}

function closed({ directory, holder }: RemoteLog, cause: unknown): ControlError {
  return new ControlError(`${holder}, which has ${directory} open, closed the connection without an answer`, 'CLOSED', {
    cause
  })
}

function receiveLine(connection: Connection, receive: (line: string) => void): void {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  connection.onData((chunk) => {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > MOST_BYTES) connection.close()
    else if (chunk.includes(0x0a)) receive(Buffer.concat(chunks).toString('utf8').trimEnd())
  })
}
