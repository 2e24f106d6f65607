import { type Duration, durationMs } from '@millrace/streams'
import { type EasyRecord, toRecord } from '../../define.ts'
import { TransientSourceError } from '../../errors.ts'
import { fetchStream } from '../../http-port/fetch-http.ts'
import type { HttpRequest, HttpStreamPort } from '../../http-port/http-port.ts'
import { sleep } from '../../sleep.ts'
import type { Source, SourceBatch, SourceContext, SourceReader } from '../../source.ts'
import { HttpStatusError, withoutCredentials } from '../errors.ts'
import { type HttpHeaders, isPassing, retryAfterMs } from '../headers.ts'
import { exchange, type HttpPage, headersOfSource } from './exchange.ts'
import { Patience } from './patience.ts'

/** A request that asks for what is new; a GET of the URL when it is but that. */
export type PollRequest =
  | string
  | {
      readonly url: string
      readonly method?: HttpRequest['method']
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string | Uint8Array
    }

/** What an answer says. */
export interface PolledPage<Position> {
  readonly records: readonly EasyRecord[]
  /** From where the next request goes on; absent: from where this one did. */
  readonly position?: Position
  /** Whether to ask again at once; default false: after `interval`. */
  readonly more?: boolean
}

/** What to ask, how often, and what the answers mean. */
export interface HttpSourceOptions<Position> {
  /** Stable name: the position is kept under it. */
  readonly name: string
  /** The next request; `position` is undefined at the first start ever. A URL that is always the same may be given as it is. */
  readonly request: string | ((position: Position | undefined) => PollRequest)
  /**
   * The records in an answer of 2xx, and the position after them. They are committed together, so each record comes once as long as a request from a
   * position gives what came after it. Of a feed that always shows all it has, leave out what the position says is known.
   */
  readonly parse: (page: HttpPage, position: Position | undefined) => PolledPage<Position>
  /** Time between two requests; default 10 s. */
  readonly interval?: Duration
  /** Sent with each request: credentials, `accept`. */
  readonly headers?: HttpHeaders
  /** Longest time until an answer is there, default 30 s. */
  readonly timeout?: Duration
  /** Longest answer, default 64 MiB. */
  readonly longestAnswerBytes?: number
  /** Default: Node's fetch. */
  readonly http?: HttpStreamPort
}

/** Where polling goes on: the program's own position, and the validators of the answer that it was taken from. */
export interface HttpPosition<Position> {
  readonly at?: Position
  /** What `etag` and `lastModified` belong to. */
  readonly url?: string
  readonly etag?: string
  readonly lastModified?: string
}

const DEFAULTS = { interval: '10s', timeout: '30s', longestAnswerBytes: 64 << 20 } as const

/**
 * Asks a server for what is new, again and again. The position that `parse` returns is committed with the records: a cursor, a page, the URL of the next
 * page (`page.next`). Answers that carry `ETag` or `Last-Modified` are asked for again with `If-None-Match` and `If-Modified-Since`, and one of 304 says
 * nothing new.
 *
 * Without an answer, or at 408, 425, 429 and 5xx, it is tried again with backoff, not before `Retry-After`; any other status stops the source with
 * `HttpStatusError`.
 *
 * ```ts
 * const orders = httpSource<number>({
 *   name: 'orders',
 *   request: (after = 0) => `https://shop.example/orders?after=${after}`,
 *   parse: (page, after) => {
 *     const found = page.json() as { id: number }[]
 *     return { records: found.map((order) => ({ topic: 'orders', key: order.id, value: order })), position: found.at(-1)?.id ?? after }
 *   }
 * })
 * ```
 */
export function httpSource<Position = string>(options: HttpSourceOptions<Position>): Source<HttpPosition<Position>> {
  const patience = new Patience()
  const settings: PollSettings<Position> = {
    ...options,
    http: options.http ?? fetchStream(),
    intervalMs: durationMs('interval', options.interval ?? DEFAULTS.interval, { leastMs: 1 }),
    timeoutMs: durationMs('timeout', options.timeout ?? DEFAULTS.timeout, { leastMs: 1 }),
    longestAnswerBytes: options.longestAnswerBytes ?? DEFAULTS.longestAnswerBytes,
    patience
  }
  return {
    name: options.name,
    open: async (positions, context) => new PollReader(settings, positions.get('') ?? {}, context)
  }
}

interface PollSettings<Position> extends HttpSourceOptions<Position> {
  readonly http: HttpStreamPort
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly longestAnswerBytes: number
  /** Outlives a reader: the server's wish holds for the next one too. */
  readonly patience: Patience
}

class PollReader<Position> implements SourceReader<HttpPosition<Position>> {
  readonly #settings: PollSettings<Position>
  readonly #context: SourceContext
  #position: HttpPosition<Position>
  /** Of the environment's monotonic clock. */
  #dueMs = 0

  constructor(settings: PollSettings<Position>, position: HttpPosition<Position>, context: SourceContext) {
    this.#settings = settings
    this.#context = context
    this.#position = position
  }

  async read(): Promise<SourceBatch<HttpPosition<Position>>> {
    const { signal, environment } = this.#context
    while (!signal.aborted) {
      await this.#settings.patience.keep(this.#context)
      const leftMs = this.#dueMs - environment.clock.monotonicMs()
      if (leftMs > 0) await sleep(environment, leftMs, signal)
      if (signal.aborted) break
      const batch = await this.#poll()
      if (batch !== undefined) return batch
    }
    return { records: [], positions: new Map() }
  }

  async committed(): Promise<void> {}

  async close(): Promise<void> {}

  /** Asks once. Undefined: nothing new. */
  async #poll(): Promise<SourceBatch<HttpPosition<Position>> | undefined> {
    const request = await this.#nextRequest()
    const { environment, signal } = this.#context
    const page = await exchange(request, this.#settings, this.#context)
    if (page === undefined) return undefined
    this.#dueMs = environment.clock.monotonicMs() + this.#settings.intervalMs
    if (page.status === 304) return undefined
    if (page.status < 200 || page.status > 299) throw this.#refusal(request, page)
    const before = this.#position
    const { records, position = before.at, more = false } = this.#settings.parse(page, before.at)
    // What is left of this very answer would not come again under its validators.
    const after = more ? atOnly(position) : positionAfter(position, { request, page })
    if (more && !signal.aborted) this.#dueMs = 0
    if (records.length === 0 && JSON.stringify(after) === JSON.stringify(before)) return undefined
    this.#position = after
    return { records: records.map(toRecord), positions: new Map([['', after]]) }
  }

  async #nextRequest(): Promise<HttpRequest> {
    const { request, headers } = this.#settings
    const { at, url: validated, etag, lastModified } = this.#position
    const given = typeof request === 'string' ? request : request(at)
    const { url, method = 'GET', headers: own, body } = typeof given === 'string' ? { url: given } : given
    const conditions = {
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(lastModified !== undefined && { 'if-modified-since': lastModified })
    }
    return {
      url,
      method,
      headers: await headersOfSource(
        { name: this.#settings.name, url },
        url === validated ? conditions : undefined,
        headers,
        own
      ),
      ...(body !== undefined && { body })
    }
  }

  #refusal({ method, url }: HttpRequest, page: HttpPage): HttpStatusError | TransientSourceError {
    const { environment } = this.#context
    const refused = new HttpStatusError({
      method,
      url: withoutCredentials(url),
      status: page.status,
      excerpt: page.excerpt
    })
    if (!isPassing(page.status)) return refused
    const waitMs = retryAfterMs(page.headers, environment.clock)
    if (waitMs !== undefined) this.#settings.patience.wait(environment, waitMs)
    const until = waitMs === undefined ? '' : `; it asks to be left alone for ${waitMs} ms`
    return new TransientSourceError(`source ${this.#settings.name}: ${refused.message}${until}`, { cause: refused })
  }
}

function atOnly<Position>(at: Position | undefined): HttpPosition<Position> {
  return at === undefined ? {} : { at }
}

function positionAfter<Position>(
  at: Position | undefined,
  { request, page }: { readonly request: HttpRequest; readonly page: HttpPage }
): HttpPosition<Position> {
  const { etag, 'last-modified': lastModified } = page.headers
  // A validator says nothing of what a request with a body was answered with.
  const validated = request.method === 'GET' && (etag !== undefined || lastModified !== undefined)
  return {
    ...atOnly(at),
    ...(validated && {
      url: request.url,
      ...(etag !== undefined && { etag }),
      ...(lastModified !== undefined && { lastModified })
    })
  }
}
