/** A request over HTTP, all of it known. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Gives the request up: the promise rejects, a body that is being read ends with an error. */
  readonly signal?: AbortSignal
  /** `manual`: an answer of 3xx is handed back as it is. Default `follow`. */
  readonly redirect?: 'follow' | 'manual'
}

/** An answer over HTTP, all of it there. */
export interface HttpAnswer {
  readonly status: number
  /** By name in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * How a client reaches the network: give your own for proxies, certificates, or tests.
 * Rejects when there is no answer.
 */
export type HttpPort = (request: HttpRequest) => Promise<HttpAnswer>

/** An answer over HTTP whose body is still coming. */
export interface HttpStream {
  readonly status: number
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Iterated once, to its end, or left with `return()`, which lets the connection go. Throws when the connection is lost. */
  readonly body: AsyncIterable<Uint8Array>
}

/** As {@link HttpPort}, for answers that are read as they come: it resolves when the headers are there. */
export type HttpStreamPort = (request: HttpRequest) => Promise<HttpStream>
