import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { NetworkError } from '../errors.ts'
import type { Connection, Listener, Network, NetworkAddress } from './environment.ts'
import { systemCodeOf } from './file-system-failure.ts'

/** TCP; and Unix sockets, whose path stands for the host, as in libpq: it begins with a slash. */
export const realNetwork: Network = {
  connect: (address) =>
    new Promise((resolve, reject) => {
      const socket = connectSocket({ ...placeOf(address), noDelay: true })
      const refused = (error: Error) => reject(networkError('connect to', address, error))
      socket.once('error', refused)
      socket.once('connect', () => {
        socket.off('error', refused)
        resolve(new TcpConnection(socket, address))
      })
    }),
  listen: (address, accept) => listen(address, accept)
}

function listen(address: NetworkAddress, accept: (connection: Connection) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>()
    const server = createServer({ noDelay: true }, (socket) => {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      accept(new TcpConnection(socket, { host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 }))
    })
    server.once('error', (error) => reject(networkError('listen on', address, error)))
    server.listen(placeOf(address), () => {
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
      resolve({
        address: { host: address.host, port },
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            for (const socket of open) socket.destroy()
          })
      })
    })
  })
}

function placeOf({ host, port }: NetworkAddress): { path: string } | { host: string; port: number } {
  return host.startsWith('/') ? { path: host } : { host, port }
}

class TcpConnection implements Connection {
  readonly remote: NetworkAddress
  readonly #socket: Socket
  #error: Error | undefined

  constructor(socket: Socket, remote: NetworkAddress) {
    this.#socket = socket
    this.remote = remote
    socket.on('error', (error) => {
      this.#error = networkError('talk to', remote, error)
    })
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#socket.destroyed) return true
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.uncork()
    return !this.#socket.writableNeedDrain
  }

  onData(receive: (chunk: Buffer) => void): void {
    this.#socket.on('data', receive)
  }

  onDrain(drained: () => void): void {
    this.#socket.on('drain', drained)
  }

  onClose(closed: (error?: unknown) => void): void {
    if (this.#socket.closed) queueMicrotask(() => closed(this.#error))
    else this.#socket.once('close', () => closed(this.#error))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.destroySoon()
  }
}

function networkError(operation: string, address: NetworkAddress, cause: Error): NetworkError {
  const systemCode = systemCodeOf(cause)
  const message = `cannot ${operation} ${address.host}:${address.port}: ${cause.message}`
  return new NetworkError({ message, systemCode, ...address }, { cause })
}
