import type { Environment, Timer } from '@millrace/log'
import { MillraceError } from '@millrace/log'
import { TransientSourceError } from '../../../errors.ts'
import { sqlStateOf } from '../../sql-state.ts'
import {
  type CdcClient,
  endConnection,
  type ProtocolConnection,
  type ProtocolStatement,
  quoteIdentifier,
  quoteLiteral
} from '../connection.ts'
import { PostgresSlotInUseError, toSourceError } from '../errors.ts'
import { formatLsn, type Lsn, readLsn, writeLsn } from './lsn.ts'
import { MessageQueue, type StreamMessage } from './message-queue.ts'

const XLOG_DATA = 0x77
const KEEPALIVE = 0x6b
const STATUS_UPDATE = 0x72
const DATA_HEADER_BYTES = 25
const STATUS_BYTES = 34
const PAUSE_ABOVE_BYTES = 8 * 1024 * 1024
const RESUME_BELOW_BYTES = 2 * 1024 * 1024
const CLOSE_WAIT_MS = 1000
const EPOCH_2000_MS = 946_684_800_000

/** What to stream. */
export interface ReplicationRequest {
  readonly slot: string
  readonly publication: string
  readonly startLsn: Lsn
  /** Whether the server may send large transactions before they are committed (protocol version 2). */
  readonly streaming: boolean
  readonly statusIntervalMs: number
  /** The connection is taken for lost when nothing comes for so long, although the server is asked with each status. */
  readonly silenceMs: number
}

/** Positions in the server's log. */
interface Reached {
  received: Lsn
  acknowledged: Lsn
  serverEnd: Lsn
}

/** When the server was last heard, and how many statuses found it silent for too long since. */
interface Hearing {
  heardAtMs: number
  silences: number
}

interface Waits {
  readonly started: PromiseWithResolvers<void>
  arrived: PromiseWithResolvers<void>
  readonly ended: PromiseWithResolvers<void>
}

/**
 * The running replication of one slot. Reading stops while many messages wait, and status goes out all the same, so that a slow log neither fills
 * the memory nor loses the connection. Nothing is acknowledged but what the caller says is safe.
 */
export class ReplicationStream implements ProtocolStatement {
  readonly #client: CdcClient
  readonly #environment: Environment
  readonly #request: ReplicationRequest
  readonly #queue = new MessageQueue()
  #connection: ProtocolConnection | undefined
  readonly #waits: Waits = {
    started: Promise.withResolvers(),
    arrived: Promise.withResolvers(),
    ended: Promise.withResolvers()
  }
  #failure: MillraceError | undefined
  #state: 'reading' | 'paused' | 'closing' = 'reading'
  #timer: Timer | undefined
  readonly #reached: Reached
  readonly #hearing: Hearing

  constructor(client: CdcClient, environment: Environment, request: ReplicationRequest) {
    this.#client = client
    this.#environment = environment
    this.#request = request
    const { startLsn } = request
    this.#reached = { received: startLsn, acknowledged: startLsn, serverEnd: startLsn }
    this.#hearing = { heardAtMs: environment.clock.monotonicMs(), silences: 0 }
  }

  /** Resolves when the server has begun. @throws TransientSourceError caused by PostgresSlotInUseError when another holds the slot. */
  async start(): Promise<void> {
    this.#client.query(this)
    await this.#waits.started.promise
    this.#heard()
    this.#scheduleStatus()
  }

  /** The end of the server's log, as far as it has said. */
  get serverEnd(): Lsn {
    return this.#reached.serverEnd
  }

  /** Whether a message waits, or the stream has failed: `take` has something to say. */
  get isReady(): boolean {
    return !this.#queue.isEmpty || this.#failure !== undefined
  }

  /** The next message. @throws what ended the stream, after the messages that came before. */
  take(): StreamMessage | undefined {
    const message = this.#queue.take()
    if (message === undefined) {
      if (this.#failure) throw this.#failure
      return undefined
    }
    if (this.#state === 'paused' && this.#queue.sizeBytes < RESUME_BELOW_BYTES) {
      this.#state = 'reading'
      this.#heard()
      this.#connection?.stream.resume()
    }
    return message
  }

  /** Resolves when `isReady` holds, or `wake` is called. */
  async arrival(): Promise<void> {
    if (this.isReady) return
    this.#waits.arrived = Promise.withResolvers()
    await this.#waits.arrived.promise
  }

  /** Ends a waiting `arrival`. */
  wake(): void {
    this.#waits.arrived.resolve()
  }

  /** Everything before this is safe: the server may forget it. */
  acknowledge(lsn: Lsn): void {
    this.#reached.acknowledged = Math.max(this.#reached.acknowledged, lsn)
    this.#sendStatus()
  }

  /** Ends the replication in order, so that the slot is free at once. */
  async close(): Promise<void> {
    this.#state = 'closing'
    this.#timer?.cancel()
    if (this.#connection && !this.#failure) {
      this.#connection.stream.resume()
      this.#sendStatus()
      this.#connection.endCopyFrom()
      const timer = this.#environment.timers.set(CLOSE_WAIT_MS, () => this.#waits.ended.resolve())
      await this.#waits.ended.promise
      timer.cancel()
    }
    this.#fail(new TransientSourceError('the replication was closed'))
    await endConnection(this.#client, this.#environment.timers)
  }

  /** Called for errors of the connection outside any statement. */
  connectionLost(error: Error): void {
    this.handleError(error)
  }

  submit(connection: ProtocolConnection): void {
    this.#connection = connection
    connection.once('replicationStart', () => this.#waits.started.resolve())
    const { slot, publication, startLsn, streaming } = this.#request
    const options = [
      `proto_version '${streaming ? 2 : 1}'`,
      `publication_names ${quoteLiteral(quoteIdentifier(publication))}`,
      `messages 'true'`,
      ...(streaming ? [`streaming 'on'`] : [])
    ]
    connection.query(
      `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL ${formatLsn(startLsn)} (${options.join(', ')})`
    )
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    if (this.#state === 'closing') return
    this.#heard()
    const { chunk } = message
    if (chunk[0] === XLOG_DATA) {
      const lsn = readLsn(chunk, 1)
      this.#reached.serverEnd = Math.max(this.#reached.serverEnd, readLsn(chunk, 9))
      this.#reached.received = Math.max(this.#reached.received, lsn)
      this.#queue.push(lsn, chunk, DATA_HEADER_BYTES)
    } else if (chunk[0] === KEEPALIVE) {
      const end = readLsn(chunk, 1)
      this.#reached.serverEnd = Math.max(this.#reached.serverEnd, end)
      this.#queue.push(end, chunk, chunk.length)
      if (chunk[17] === 1) this.#sendStatus()
    }
    if (this.#state === 'reading' && this.#queue.sizeBytes > PAUSE_ABOVE_BYTES) {
      this.#state = 'paused'
      this.#connection?.stream.pause()
    }
    this.#waits.arrived.resolve()
  }

  handleError(error: Error): void {
    this.#fail(replicationError(error, this.#request.slot))
  }

  handleReadyForQuery(): void {
    this.#fail(new TransientSourceError('the server ended the replication'))
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}

  #fail(error: MillraceError): void {
    this.#failure ??= error
    this.#timer?.cancel()
    this.#waits.started.reject(this.#failure)
    this.#waits.arrived.resolve()
    this.#waits.ended.resolve()
  }

  #scheduleStatus(): void {
    this.#timer = this.#environment.timers.set(
      this.#request.statusIntervalMs,
      () => {
        if (this.#isSilent()) this.#fail(new TransientSourceError(this.#silence()))
        this.#sendStatus({ asks: true })
        if (!this.#failure && this.#state !== 'closing') this.#scheduleStatus()
      },
      { background: true }
    )
  }

  #heard(): void {
    this.#hearing.heardAtMs = this.#environment.clock.monotonicMs()
    this.#hearing.silences = 0
  }

  /**
   * Nothing comes while reading is paused either, but then it is not the server that says nothing. Found twice, since a process that was stopped runs its
   * timers before it reads what has come meanwhile.
   */
  #isSilent(): boolean {
    const silentMs = this.#environment.clock.monotonicMs() - this.#hearing.heardAtMs
    if (this.#state !== 'reading' || silentMs <= this.#request.silenceMs) return false
    this.#hearing.silences += 1
    return this.#hearing.silences > 1
  }

  #silence(): string {
    const { slot, silenceMs } = this.#request
    return `the server has said nothing on the replication of slot ${slot} for ${silenceMs} ms: the connection is taken for lost`
  }

  #sendStatus({ asks = false } = {}): void {
    if (!this.#connection || this.#failure) return
    const status = Buffer.alloc(STATUS_BYTES)
    status[0] = STATUS_UPDATE
    writeLsn(status, Math.max(this.#reached.received, this.#reached.acknowledged), 1)
    writeLsn(status, this.#reached.acknowledged, 9)
    writeLsn(status, this.#reached.acknowledged, 17)
    const micros = (this.#environment.clock.nowMs() - EPOCH_2000_MS) * 1000
    status.writeUInt32BE(Math.floor(micros / 2 ** 32), 25)
    status.writeUInt32BE(micros % 2 ** 32, 29)
    status[33] = asks ? 1 : 0
    this.#connection.sendCopyFromChunk(status)
  }
}

function replicationError(error: Error, slot: string): MillraceError {
  if (error instanceof MillraceError) return error
  if (sqlStateOf(error) === '55006') {
    const pid = /PID (\d+)/i.exec(error.message)?.[1]
    const inUse = new PostgresSlotInUseError(slot, pid === undefined ? undefined : Number(pid), { cause: error })
    return new TransientSourceError(inUse.message, { cause: inUse })
  }
  return toSourceError(error, `the replication of slot ${slot} failed`)
}
