import { TransientSourceError } from '../../errors.ts'
import type { HttpRequest, HttpStream, HttpStreamPort } from '../../http-port/http-port.ts'
import type { SourceContext } from '../../source.ts'
import { Deadline } from '../deadline.ts'
import { excerptOf, HttpAnswerError, HttpStatusError, reasonOf, withoutCredentials } from '../errors.ts'
import { type HttpHeaders, isPassing, retryAfterMs } from '../headers.ts'
import { EventStreamParser, type ServerSentEvent } from './event-stream.ts'
import { headersOfSource, noAnswer } from './exchange.ts'

/** How connections are made. */
export interface EventConnectionSettings {
  readonly name: string
  readonly url: string
  readonly headers: HttpHeaders | undefined
  readonly http: HttpStreamPort
  readonly silenceMs: number
  readonly longestEventBytes: number
}

/** Where it goes on, and what to do with a server that wants to be left alone. */
interface Beginning {
  readonly lastEventId: string
  readonly onRetryAfter: (waitMs: number) => void
}

/** One connection to a stream of events, from its answer to its end. */
export class EventConnection {
  readonly #settings: EventConnectionSettings
  readonly #signal: AbortSignal
  readonly #deadline: Deadline
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #parser: EventStreamParser

  private constructor(
    settings: EventConnectionSettings,
    connected: {
      readonly signal: AbortSignal
      readonly deadline: Deadline
      readonly body: HttpStream['body']
      readonly lastEventId: string
    }
  ) {
    this.#settings = settings
    this.#signal = connected.signal
    this.#deadline = connected.deadline
    this.#chunks = connected.body[Symbol.asyncIterator]()
    this.#parser = new EventStreamParser(connected.lastEventId)
  }

  /**
   * Connects. `over`: the server wants no further connection. Undefined: the source is to stop.
   * @throws TransientSourceError HttpStatusError HttpAnswerError
   */
  static async open(
    settings: EventConnectionSettings,
    { environment, signal }: SourceContext,
    beginning: Beginning
  ): Promise<EventConnection | 'over' | undefined> {
    const { lastEventId } = beginning
    const request: HttpRequest = {
      method: 'GET',
      url: settings.url,
      headers: await headersOfSource(
        settings,
        { accept: 'text/event-stream', 'cache-control': 'no-store' },
        settings.headers,
        // The id is UTF-8 on the wire, and a header's characters are bytes.
        lastEventId === '' ? undefined : { 'last-event-id': Buffer.from(lastEventId, 'utf8').toString('latin1') }
      )
    }
    const deadline = new Deadline(environment, signal)
    deadline.set(settings.silenceMs)
    try {
      const { status, headers, body } = await settings.http({ ...request, signal: deadline.signal })
      if (status === 200 && isEventStream(headers)) {
        deadline.rest()
        return new EventConnection(settings, { signal, deadline, body, lastEventId })
      }
      if (status === 204) {
        deadline.close()
        return 'over'
      }
      const waitMs = retryAfterMs(headers, environment.clock)
      if (waitMs !== undefined) beginning.onRetryAfter(waitMs)
      throw refusal(settings, { status, headers }, await beginningOf(body))
    } catch (error) {
      deadline.close()
      if (error instanceof HttpStatusError || error instanceof HttpAnswerError) throw error
      if (error instanceof TransientSourceError) throw error
      if (signal.aborted) return undefined
      throw noAnswer({ name: settings.name, timeoutMs: settings.silenceMs }, { request, error, late: deadline.expired })
    }
  }

  /** See {@link EventStreamParser.lastEventId}. */
  get lastEventId(): string {
    return this.#parser.lastEventId
  }

  /** See {@link EventStreamParser.retryMs}. */
  get retryMs(): number | undefined {
    return this.#parser.retryMs
  }

  /**
   * The events of the bytes that come next, none perhaps. Undefined: the server has ended the stream, or the source is to stop.
   * @throws TransientSourceError when the connection is lost, or nothing came on it for too long; HttpAnswerError when an event is too long.
   */
  async next(): Promise<readonly ServerSentEvent[] | undefined> {
    const { name, silenceMs, longestEventBytes } = this.#settings
    const url = withoutCredentials(this.#settings.url)
    this.#deadline.set(silenceMs)
    try {
      const { done, value } = await this.#chunks.next()
      if (done === true) return undefined
      const events = this.#parser.push(value)
      if (this.#parser.pendingLength > longestEventBytes) {
        throw new HttpAnswerError(url, `an event is longer than longestEventBytes (${longestEventBytes})`)
      }
      return events
    } catch (error) {
      if (error instanceof HttpAnswerError) throw error
      if (this.#signal.aborted) return undefined
      const why = this.#deadline.expired ? `nothing came for ${silenceMs} ms` : reasonOf(error)
      throw new TransientSourceError(`source ${name}: the connection to ${url} was lost: ${why}`, { cause: error })
    } finally {
      this.#deadline.rest()
    }
  }

  /** Lets the connection go. */
  close(): void {
    this.#deadline.close()
    this.#chunks.return?.().catch(() => undefined)
  }
}

function isEventStream(headers: Readonly<Record<string, string>>): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(headers['content-type'] ?? '')
}

function refusal(
  { name, url }: EventConnectionSettings,
  { status, headers }: Omit<HttpStream, 'body'>,
  excerpt: string
): HttpStatusError | HttpAnswerError | TransientSourceError {
  const shown = withoutCredentials(url)
  if (status === 200) {
    const type = headers['content-type'] ?? 'unknown'
    return new HttpAnswerError(shown, `its content type is ${type}, not text/event-stream. Is it the right address?`)
  }
  const refused = new HttpStatusError({ method: 'GET', url: shown, status, excerpt })
  if (!isPassing(status)) return refused
  return new TransientSourceError(`source ${name}: ${refused.message}`, { cause: refused })
}

/** The first piece of a body that says why. */
async function beginningOf(body: HttpStream['body']): Promise<string> {
  for await (const chunk of body) return excerptOf(Buffer.from(chunk).toString('utf8'))
  return ''
}
