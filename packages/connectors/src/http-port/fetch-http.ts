import type { HttpPort, HttpRequest, HttpStreamPort } from './http-port.ts'

const TIMEOUT_MS = 30_000

/**
 * HTTP by Node's `fetch`: with `fetchStream`, the one place that touches the network.
 * @param timeoutMs How long an answer may take. Default 30,000.
 */
export function fetchHttp({ timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): HttpPort {
  return async (request) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout])
    const response = await send({ ...request, signal })
    return { status: response.status, headers: headersOf(response), body: await response.text() }
  }
}

/** HTTP by Node's `fetch`, the body as it comes. How long it may take is for the request's signal to say. */
export function fetchStream(): HttpStreamPort {
  return async (request) => {
    const response = await send(request)
    return { status: response.status, headers: headersOf(response), body: response.body ?? nothing() }
  }
}

function send({ url, method, headers, body, signal, redirect = 'follow' }: HttpRequest): Promise<Response> {
  // Bytes in shared memory, which `fetch` does not take, are copied.
  const bytes = body === undefined || typeof body === 'string' ? body : new Uint8Array(body)
  return fetch(url, {
    method,
    headers,
    redirect,
    ...(signal !== undefined && { signal }),
    ...(bytes !== undefined && { body: bytes })
  })
}

function headersOf(response: Response): Readonly<Record<string, string>> {
  return Object.fromEntries(response.headers)
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
