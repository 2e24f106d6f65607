import type { Connection, Listener, Network, NetworkAddress } from '../environment/environment.ts'
import { NetworkError } from '../errors.ts'
import type { SeededRandom } from './seeded-random.ts'
import { SimulatedConnection } from './simulated-connection.ts'
import type { Lane, SimulatedScheduler } from './simulated-scheduler.ts'

/** How a simulated network behaves. */
export interface NetworkOptions {
  /** How long bytes are on their way, from and to (default 0.1 to 3 ms). */
  readonly latencyMs?: readonly [number, number]
  /** Largest chunk that arrives at once (default 64 KiB); smaller ones are made at random. */
  readonly chunkBytes?: number
}

interface OpenPort {
  readonly lane: Lane
  readonly accept: (connection: Connection) => void
}

/**
 * Connections between the machines of one world. Bytes of one direction arrive in order, late and in other pieces; a direction may be cut,
 * and then holds what is on its way until it is healed, as TCP does by sending again.
 */
export class SimulatedNetwork {
  options: NetworkOptions
  readonly #scheduler: SimulatedScheduler
  readonly #random: SeededRandom
  readonly #ports = new Map<string, OpenPort>()
  readonly #cut = new Set<string>()
  readonly #connections = new Set<SimulatedConnection>()
  #nextPort = 40_000

  constructor(scheduler: SimulatedScheduler, random: SeededRandom, options: NetworkOptions) {
    this.#scheduler = scheduler
    this.#random = random
    this.options = options
  }

  /** The network as the machine of `lane` sees it; its lane's name is its host name. */
  from(lane: Lane): Network {
    return {
      connect: (address) => this.#connect(lane, address),
      listen: async (address, accept) => this.#listen(lane, address, accept)
    }
  }

  /** Nothing from `from` reaches `to` until `heal`. The other direction goes on. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  /** Undoes every cut. */
  heal(): void {
    this.#cut.clear()
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`)
  }

  delayMs(): number {
    const [low, high] = this.options.latencyMs ?? [0.1, 3]
    return this.#random.between(low, high)
  }

  /** Resets every connection of the machine of `lane`, whose peers notice in `noticeMs`, and closes its ports. */
  drop(lane: Lane, noticeMs: number): void {
    for (const [key, port] of this.#ports) if (port.lane === lane) this.#ports.delete(key)
    for (const connection of this.#connections) if (connection.isOf(lane)) connection.lose(noticeMs)
  }

  #listen(lane: Lane, address: NetworkAddress, accept: (connection: Connection) => void): Listener {
    const port = address.port === 0 ? this.#nextPort++ : address.port
    const key = `${lane.name}:${port}`
    if (this.#ports.has(key)) throw refusal('EADDRINUSE', address)
    this.#ports.set(key, { lane, accept })
    return {
      address: { host: address.host, port },
      close: async () => {
        if (this.#ports.get(key)?.lane === lane) this.#ports.delete(key)
      }
    }
  }

  #connect(lane: Lane, address: NetworkAddress): Promise<Connection> {
    const host = address.host === 'localhost' || address.host === '127.0.0.1' ? lane.name : address.host
    return new Promise((resolve, reject) => {
      const run = () => {
        const port = this.isCut(lane.name, host) ? undefined : this.#ports.get(`${host}:${address.port}`)
        if (port === undefined) {
          reject(refusal('ECONNREFUSED', address))
          return
        }
        const here = this.#end(lane, address)
        const there = this.#end(port.lane, { host: lane.name, port: this.#nextPort++ })
        here.joinWith(there)
        port.accept(there)
        resolve(here)
      }
      this.#scheduler.after(this.delayMs(), lane, { label: `connect ${host}:${address.port}`, run })
    })
  }

  #end(lane: Lane, remote: NetworkAddress): SimulatedConnection {
    const end = new SimulatedConnection({
      lane,
      remote,
      scheduler: this.#scheduler,
      random: this.#random,
      network: this,
      ended: () => this.#connections.delete(end)
    })
    this.#connections.add(end)
    return end
  }
}

function refusal(systemCode: string, { host, port }: NetworkAddress): NetworkError {
  return new NetworkError({ message: `cannot use ${host}:${port}: ${systemCode}`, systemCode, host, port })
}
