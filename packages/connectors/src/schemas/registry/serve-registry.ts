import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { NetworkError } from '@millrace/log'
import { openRegistry, type Registry, type RegistryOptions } from './registry.ts'
import { answerRest } from './rest-api.ts'
import type { RestRequest, RestResponse } from './rest-message.ts'

/** Options of {@link serveRegistry}. */
export interface ServeRegistryOptions extends RegistryOptions {
  /** Default 8081; 0 lets the system choose. */
  readonly port?: number
  /** Default 127.0.0.1: there is no authentication, so think before you open it to others. */
  readonly host?: string
  /** Longest request that is read. Default 4 MiB. */
  readonly maxRequestBytes?: number
}

/** A registry that answers over HTTP. */
export interface ServedRegistry {
  readonly registry: Registry
  /** `http://127.0.0.1:8081`, without a slash at the end. */
  readonly url: string
  /** Ends open requests, stops listening, and closes the registry. */
  close(): Promise<void>
}

const DEFAULT_PORT = 8081
const MAX_REQUEST_BYTES = 4 * 1024 * 1024
const VENDOR_TYPE = 'application/vnd.schemaregistry.v1+json'
const TYPES = [VENDOR_TYPE, 'application/vnd.schemaregistry+json', 'application/json']
const REQUEST_TYPES = [...TYPES, 'application/octet-stream']

/**
 * Opens the registry of a log and serves Confluent's REST API for it.
 * @throws what {@link openRegistry} throws; NetworkError when the port cannot be had.
 */
export async function serveRegistry(options: ServeRegistryOptions): Promise<ServedRegistry> {
  const { port = DEFAULT_PORT, host = '127.0.0.1', maxRequestBytes = MAX_REQUEST_BYTES } = options
  const registry = await openRegistry(options)
  const server = createServer((message, response) => {
    answer(registry, message, maxRequestBytes).then(
      (answered) => send(message, response, answered),
      () => response.destroy()
    )
  })
  try {
    await listen(server, host, port)
  } catch (error) {
    await registry.close()
    throw error
  }
  const address = server.address()
  const listening = typeof address === 'object' && address !== null ? address.port : port
  return {
    registry,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      await registry.close()
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const systemCode = cause.code ?? 'UNKNOWN'
      const message = `the schema registry cannot listen on ${host}:${port}: ${systemCode}; choose another port`
      reject(new NetworkError({ message, systemCode, host, port }, { cause }))
    })
    server.listen(port, host, resolve)
  })
}

async function answer(registry: Registry, message: IncomingMessage, maxBytes: number): Promise<RestResponse> {
  const method = message.method ?? 'GET'
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://registry')
  const body = await readBody(message, maxBytes)
  if (body === undefined) return failure(413, `the request is longer than ${maxBytes} bytes`)
  if (body.length > 0 && !REQUEST_TYPES.includes(mediaType(message.headers['content-type'] ?? VENDOR_TYPE))) {
    return failure(415, `HTTP 415 Unsupported Media Type: send ${VENDOR_TYPE}`)
  }
  let request: RestRequest
  try {
    const segments = pathname
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent)
    request = {
      method,
      segments,
      query: searchParams,
      body: body.length === 0 ? undefined : JSON.parse(body.toString('utf8'))
    }
  } catch {
    return failure(400, 'HTTP 400 Bad Request: the path or the body cannot be read')
  }
  return answerRest(registry, request)
}

/** The whole body; undefined: it is too long. */
async function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of message) {
    length += chunk.length
    if (length <= maxBytes) chunks.push(chunk)
  }
  return length > maxBytes ? undefined : Buffer.concat(chunks)
}

function send(message: IncomingMessage, response: ServerResponse, { status, body }: RestResponse): void {
  const accepted = (message.headers.accept ?? '*/*').split(',').map(mediaType)
  const type = accepted.includes('*/*') ? VENDOR_TYPE : (accepted.find((one) => TYPES.includes(one)) ?? VENDOR_TYPE)
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** Without parameters. */
function mediaType(header: string): string {
  return header.split(';', 1)[0].trim().toLowerCase()
}

function failure(status: number, message: string): RestResponse {
  return { status, body: { error_code: status, message } }
}
