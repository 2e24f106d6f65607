import { MillraceError } from '@millrace/log'
import { SinkSetupError } from '../errors.ts'

/** What is known of an answer that was not the one hoped for. */
export interface RefusedAnswer {
  readonly method: string
  /** Without credentials. */
  readonly url: string
  readonly status: number
  /** The answer's first characters. */
  readonly excerpt: string
}

/** A server answered with a status that asks for something else than trying again. `status` says which. */
export class HttpStatusError extends MillraceError {
  readonly code = 'CONNECTORS_HTTP_STATUS'
  readonly method: string
  readonly url: string
  readonly status: number

  constructor(answer: RefusedAnswer) {
    super(`${said(answer)}. ${adviceFor(answer.status)}`)
    this.method = answer.method
    this.url = answer.url
    this.status = answer.status
  }
}

/** A server's answer is not what its connector reads: another content type, or too long. Mend the address or the option it names. */
export class HttpAnswerError extends MillraceError {
  readonly code = 'CONNECTORS_HTTP_ANSWER'
  readonly url: string

  constructor(url: string, problem: string, options?: ErrorOptions) {
    super(`the answer of ${url} cannot be read: ${problem}`, options)
    this.url = url
  }
}

/** A request cannot be sent at all: its address is none, or a header has characters that headers cannot have. */
export class HttpRequestError extends MillraceError {
  readonly code = 'CONNECTORS_HTTP_REQUEST'

  constructor(connector: string, problem: string) {
    super(`${connector}: its request cannot be sent: ${problem}. Mend the function or option that makes it`)
  }
}

/** The `headers` of a sink cannot be sent, whatever the record: a token with a line end, say. */
export class HttpSinkHeadersError extends SinkSetupError {
  readonly code = 'CONNECTORS_HTTP_SINK_HEADERS'

  constructor(sink: string, problem: string) {
    super(`sink ${sink}: its \`headers\` cannot be sent: ${problem}. Mend them and restart the connector`)
  }
}

/** A target takes nothing from this sink: its address has moved, or its credentials are not accepted. No record is to blame. */
export class HttpSinkSetupError extends SinkSetupError {
  readonly code = 'CONNECTORS_HTTP_SINK_SETUP'
  readonly method: string
  readonly url: string
  readonly status: number

  constructor(sink: string, answer: RefusedAnswer) {
    const rest = 'Nothing was lost: mend it and restart the connector'
    super(`sink ${sink}: ${said(answer)}. ${adviceFor(answer.status)}. ${rest}`)
    this.method = answer.method
    this.url = answer.url
    this.status = answer.status
  }
}

function said({ method, url, status, excerpt }: RefusedAnswer): string {
  return `${method} ${url} was answered with ${status}${excerpt === '' ? '' : `: ${excerpt}`}`
}

function adviceFor(status: number): string {
  if (status === 401 || status === 407) return 'Check the credentials in `headers`'
  if (status === 403) return 'Check that the credentials in `headers` may do that'
  if (status === 404 || status === 410) return 'Check the address'
  if (status === 405) return 'Check the method and the address'
  if (status === 413) return 'It is more than the server takes at once'
  if (status === 415) return 'Check the content type'
  if (status >= 300 && status < 400) return 'Give the address that it moved to'
  return 'The server says what is wrong with the request'
}

const EXCERPT_CHARACTERS = 200

/** The beginning of a body, on one line. */
export function excerptOf(body: string): string {
  return body.slice(0, EXCERPT_CHARACTERS).replaceAll(/\s+/g, ' ').trim()
}

/** A URL as it may be shown. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}

/** What a failed request says, its causes included: `fetch` itself says only that it failed. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${reasonOf(error.cause)})` : error.message
}
