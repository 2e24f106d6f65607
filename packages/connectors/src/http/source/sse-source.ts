import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '@millrace/streams'
import { type EasyRecord, toRecord } from '../../define.ts'
import { fetchStream } from '../../http-port/fetch-http.ts'
import type { HttpStreamPort } from '../../http-port/http-port.ts'
import type { Source, SourceBatch, SourceContext, SourceReader } from '../../source.ts'
import type { HttpHeaders } from '../headers.ts'
import { EventConnection, type EventConnectionSettings } from './event-connection.ts'
import type { ServerSentEvent } from './event-stream.ts'
import { Patience } from './patience.ts'

/** Which stream of events, and what they become. */
export interface SseSourceOptions {
  /** Stable name: the position is kept under it. */
  readonly name: string
  readonly url: string
  /** The records that an event becomes; undefined: none. */
  readonly event: (event: ServerSentEvent) => EasyRecord | readonly EasyRecord[] | undefined
  /** Sent with each connection, e.g. credentials. */
  readonly headers?: HttpHeaders
  /** Time before the next connection, until the server says another with `retry:`; default 3 s. */
  readonly retry?: Duration
  /** A connection on which nothing comes for so long, not even a comment, is given up for a new one; default 2 minutes. */
  readonly silence?: Duration
  /** Longest event, default 16 MiB. */
  readonly longestEventBytes?: number
  /** Default: Node's fetch. */
  readonly http?: HttpStreamPort
}

/** Where a stream of events goes on. */
export interface SsePosition {
  /** The last id that the server gave, sent as `Last-Event-ID`. */
  readonly id: string
}

const DEFAULTS = { retry: '3s', silence: '2m', longestEventBytes: 16 << 20 } as const
/** Less is a mistake of the server's: it would be asked without a pause. */
const LEAST_RETRY_MS = 10

/**
 * Reads server-sent events. The last event's id is committed with its records and sent as `Last-Event-ID` with the next connection, so events with an id come
 * once, as long as the server goes on behind that id. Events without ids come as the server sends them: those of the time without a connection are
 * not seen unless it repeats them, and none is taken twice unless it does.
 *
 * A connection that ends is made anew after the server's `retry:`, with backoff where none comes about. An answer of 204 ends the source; another status
 * that does not pass, or another content type, stops it with `HttpStatusError` or `HttpAnswerError`.
 */
export function sseSource(options: SseSourceOptions): Source<SsePosition> {
  if (!URL.canParse(options.url)) throw new UsageError(`source ${options.name}: '${options.url}' is no URL`)
  const settings: EventConnectionSettings = {
    name: options.name,
    url: options.url,
    headers: options.headers,
    http: options.http ?? fetchStream(),
    silenceMs: durationMs('silence', options.silence ?? DEFAULTS.silence, { leastMs: 1 }),
    longestEventBytes: options.longestEventBytes ?? DEFAULTS.longestEventBytes
  }
  const reconnecting: Reconnecting = {
    patience: new Patience(),
    retryMs: durationMs('retry', options.retry ?? DEFAULTS.retry, { leastMs: 1 })
  }
  return {
    name: options.name,
    async open(positions, context) {
      const id = positions.get('')?.id ?? ''
      return new EventReader(options.event, { settings, reconnecting, context, id })
    }
  }
}

/** What outlives a reader: the server's wishes hold for the next one too. */
interface Reconnecting {
  readonly patience: Patience
  retryMs: number
}

interface EventReaderParts {
  readonly settings: EventConnectionSettings
  readonly reconnecting: Reconnecting
  readonly context: SourceContext
  readonly id: string
}

class EventReader implements SourceReader<SsePosition> {
  readonly #toRecords: SseSourceOptions['event']
  readonly #parts: EventReaderParts
  #id: string
  #connection: EventConnection | undefined

  constructor(toRecords: SseSourceOptions['event'], parts: EventReaderParts) {
    this.#toRecords = toRecords
    this.#parts = parts
    this.#id = parts.id
  }

  async read(): Promise<SourceBatch<SsePosition> | undefined> {
    const { context, reconnecting } = this.#parts
    while (!context.signal.aborted) {
      if (this.#connection === undefined) {
        await reconnecting.patience.keep(context)
        if (context.signal.aborted) break
        const connection = await this.#connect()
        if (connection === 'over') return undefined
        this.#connection = connection
      }
      const events = await this.#next(this.#connection)
      const batch = events === undefined ? undefined : this.#batchOf(events, this.#connection?.lastEventId ?? this.#id)
      if (batch !== undefined) return batch
    }
    return { records: [], positions: new Map() }
  }

  async committed(): Promise<void> {}

  async close(): Promise<void> {
    this.#connection?.close()
    this.#connection = undefined
  }

  async #connect(): Promise<EventConnection | 'over' | undefined> {
    const { settings, context, reconnecting } = this.#parts
    // Whatever comes of it, the next one is not made before that.
    this.#rest(reconnecting.retryMs)
    return EventConnection.open(settings, context, {
      lastEventId: this.#id,
      onRetryAfter: (waitMs) => this.#rest(waitMs)
    })
  }

  /** The events of what comes next; undefined when the connection has ended, or the source is to stop. */
  async #next(connection: EventConnection | undefined): Promise<readonly ServerSentEvent[] | undefined> {
    if (connection === undefined) return undefined
    let events: readonly ServerSentEvent[] | undefined
    try {
      events = await connection.next()
      return events
    } finally {
      this.#parts.reconnecting.retryMs = connection.retryMs ?? this.#parts.reconnecting.retryMs
      if (events === undefined) {
        connection.close()
        this.#connection = undefined
        this.#rest(this.#parts.reconnecting.retryMs)
      }
    }
  }

  #batchOf(events: readonly ServerSentEvent[], id: string): SourceBatch<SsePosition> | undefined {
    const records = events.flatMap((event) => this.#toRecords(event) ?? []).map(toRecord)
    if (records.length === 0 && id === this.#id) return undefined
    this.#id = id
    return { records, positions: new Map([['', { id }]]) }
  }

  #rest(waitMs: number): void {
    const { reconnecting, context } = this.#parts
    reconnecting.patience.wait(context.environment, Math.max(waitMs, LEAST_RETRY_MS))
  }
}
