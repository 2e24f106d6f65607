import type { HttpPort } from './http-port.ts'

const TIMEOUT_MS = 30_000

/**
 * HTTP by Node's `fetch`: the one place of the client that touches the network.
 * @param timeoutMs How long an answer may take. Default 30,000.
 */
export function fetchHttp({ timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): HttpPort {
  return async ({ url, method, headers, body }) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(url, { method, headers, signal, ...(body !== undefined && { body }) })
    return { status: response.status, body: await response.text() }
  }
}
