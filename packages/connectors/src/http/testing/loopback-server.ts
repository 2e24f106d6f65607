import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that reached the server. */
export interface SeenRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers a request; what throws closes the connection without an answer. */
export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>

/** An HTTP server on loopback, for tests. */
export class LoopbackServer {
  readonly seen: SeenRequest[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(answer: Answer): Promise<LoopbackServer> {
    const server = createServer()
    const loopback = new LoopbackServer(server)
    server.on('request', (message, response) => {
      const handled = (async () => {
        const request = await readRequest(message)
        loopback.seen.push(request)
        await answer(request, response)
      })()
      handled.catch(() => response.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return loopback
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  /** Ends all connections, under way or not. */
  cut(): void {
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }
}

async function readRequest(message: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  const { method = '', url = '', headers } = message
  return { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
}
