/** A request over HTTP, all of it known. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer over HTTP, all of it there. */
export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/**
 * How a client reaches the network: give your own for proxies, certificates, or tests.
 * Rejects when there is no answer.
 */
export type HttpPort = (request: HttpRequest) => Promise<HttpAnswer>
