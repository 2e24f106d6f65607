import type { HttpPort, HttpRequest, HttpStreamPort } from './http-port.ts'

const TIMEOUT_MS = 30_000

/**
 * HTTP by Node's `fetch`: with `fetchStream`, the one place that sends HTTP.
 * @param timeoutMs How long an answer may take, where the request has no signal that says so. Default 30,000.
 */
export function fetchHttp({ timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): HttpPort {
  return async (request) => {
    const response = await send({ ...request, signal: request.signal ?? AbortSignal.timeout(timeoutMs) })
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

async function send({ url, method, headers, body, signal, redirect = 'follow' }: HttpRequest): Promise<Response> {
  // Bytes in shared memory, which `fetch` does not take, are copied.
  const bytes = body === undefined || typeof body === 'string' ? body : new Uint8Array(body)
  const { address, authorization } = withoutUser(url)
  return fetch(address, {
    method,
    headers: { ...authorization, ...headers },
    redirect,
    ...(signal !== undefined && { signal }),
    ...(bytes !== undefined && { body: bytes })
  })
}

/** `fetch` refuses addresses with a name and a password: they become the header that they stand for. */
function withoutUser(url: string): { readonly address: string; readonly authorization?: Record<string, string> } {
  if (!url.includes('@')) return { address: url }
  const parsed = new URL(url)
  if (parsed.username === '' && parsed.password === '') return { address: url }
  const user = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
  parsed.username = ''
  parsed.password = ''
  return { address: parsed.href, authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } }
}

function headersOf(response: Response): Readonly<Record<string, string>> {
  return Object.fromEntries(response.headers)
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
