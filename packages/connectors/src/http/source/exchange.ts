import { TransientSourceError } from '../../errors.ts'
import type { HttpRequest, HttpStream, HttpStreamPort } from '../../http-port/http-port.ts'
import type { SourceContext } from '../../source.ts'
import { Deadline } from '../deadline.ts'
import { excerptOf, HttpAnswerError, HttpRequestError, reasonOf, withoutCredentials } from '../errors.ts'
import { type HttpHeaders, headersToSend, linkNext, unsendable } from '../headers.ts'

/** An answer to a poll. */
export class HttpPage {
  /** That was asked for. */
  readonly url: string
  readonly status: number
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer

  constructor(url: string, { status, headers }: Omit<HttpStream, 'body'>, bytes: Buffer) {
    this.url = url
    this.status = status
    this.headers = headers
    this.bytes = bytes
  }

  /** The body as UTF-8. */
  text(): string {
    return this.bytes.toString('utf8')
  }

  /** The body as JSON. @throws SyntaxError */
  json(): unknown {
    return JSON.parse(this.text())
  }

  /** The URL that the server names in `Link: <…>; rel="next"`. */
  get next(): string | undefined {
    return linkNext(this.headers, this.url)
  }

  /** The first characters, for messages. */
  get excerpt(): string {
    return excerptOf(this.bytes.toString('utf8', 0, 1000))
  }
}

/** How requests of a source are made. */
export interface ExchangeSettings {
  readonly name: string
  readonly http: HttpStreamPort
  readonly timeoutMs: number
  readonly longestAnswerBytes: number
}

/**
 * Sends a request and reads the answer. Undefined: the source is to stop.
 * @throws TransientSourceError when no whole answer came in time; HttpAnswerError when it is too long.
 */
export async function exchange(
  request: HttpRequest,
  settings: ExchangeSettings,
  { environment, signal }: SourceContext
): Promise<HttpPage | undefined> {
  const deadline = new Deadline(environment, signal)
  deadline.set(settings.timeoutMs)
  try {
    const answer = await settings.http({ ...request, signal: deadline.signal })
    return new HttpPage(request.url, answer, await bodyOf(request, answer, settings.longestAnswerBytes))
  } catch (error) {
    if (error instanceof HttpAnswerError) throw error
    if (signal.aborted) return undefined
    throw noAnswer(settings, { request, error, late: deadline.expired })
  } finally {
    deadline.close()
  }
}

/** There was no answer, or not in time. */
export function noAnswer(
  { name, timeoutMs }: Pick<ExchangeSettings, 'name' | 'timeoutMs'>,
  { request, error, late }: { readonly request: HttpRequest; readonly error: unknown; readonly late: boolean }
): TransientSourceError {
  const why = late ? `it took longer than ${timeoutMs} ms` : reasonOf(error)
  const asked = `${request.method} ${withoutCredentials(request.url)}`
  return new TransientSourceError(`source ${name}: no answer to ${asked}: ${why}. Is the server there?`, {
    cause: error
  })
}

async function bodyOf(request: HttpRequest, { body }: HttpStream, longestBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > longestBytes) {
      const problem = `it is longer than longestAnswerBytes (${longestBytes}). Ask for smaller pages, or raise it`
      throw new HttpAnswerError(withoutCredentials(request.url), problem)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * Headers of a source's request, constant ones and those that the program is asked for.
 * @throws TransientSourceError when it has none now; HttpRequestError when the request cannot be sent.
 */
export async function headersOfSource(
  { name, url }: { readonly name: string; readonly url: string },
  ...all: readonly (HttpHeaders | undefined)[]
): Promise<Readonly<Record<string, string>>> {
  const headers = await headersToSend(...all).catch((cause: unknown) => {
    throw new TransientSourceError(`source ${name}: its \`headers\` failed: ${reasonOf(cause)}`, { cause })
  })
  const problem = unsendable(url, headers)
  if (problem !== undefined) throw new HttpRequestError(`source ${name}`, problem)
  return headers
}
