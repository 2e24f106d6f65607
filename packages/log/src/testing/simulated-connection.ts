import type { Connection, NetworkAddress } from '../environment/environment.ts'
import { NetworkError } from '../errors.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Lane, SimulatedScheduler } from './simulated-scheduler.ts'

/** How bytes travel between two machines at the moment. */
export interface NetworkConditions {
  readonly options: { readonly chunkBytes?: number }
  /** Whether nothing of the machine `from` reaches `to`. */
  isCut(from: string, to: string): boolean
  /** How long the next bytes take. */
  delayMs(): number
}

/** What one end of a simulated connection stands on. */
export interface ConnectionPlace {
  readonly lane: Lane
  readonly remote: NetworkAddress
  readonly scheduler: SimulatedScheduler
  readonly random: SeededRandom
  readonly network: NetworkConditions
  ended(): void
}

const highWaterBytes = 1 << 20
const retryMs = 50

/** One end of a simulated connection: what is written here waits here until it arrives at the other end. */
export class SimulatedConnection implements Connection {
  readonly #place: ConnectionPlace
  #peer: SimulatedConnection | undefined
  readonly #outgoing: Buffer[] = []
  #outgoingBytes = 0
  #delivering = false
  #open = true
  #paused = false
  #receive: ((chunk: Buffer) => void) | undefined
  readonly #drained: (() => void)[] = []
  readonly #closed: ((error?: unknown) => void)[] = []

  constructor(place: ConnectionPlace) {
    this.#place = place
  }

  get remote(): NetworkAddress {
    return this.#place.remote
  }

  joinWith(peer: SimulatedConnection): void {
    this.#peer = peer
    peer.#peer = this
  }

  isOf(lane: Lane): boolean {
    return this.#place.lane === lane
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (!this.#open) return true
    for (const chunk of chunks) {
      this.#outgoing.push(Buffer.from(chunk))
      this.#outgoingBytes += chunk.length
    }
    this.#schedule(this.#place.network.delayMs())
    return this.#outgoingBytes < highWaterBytes
  }

  onData(receive: (chunk: Buffer) => void): void {
    this.#receive = receive
    this.#wakePeer()
  }

  onDrain(drained: () => void): void {
    this.#drained.push(drained)
  }

  onClose(closed: (error?: unknown) => void): void {
    if (this.#open) this.#closed.push(closed)
    else queueMicrotask(closed)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#wakePeer()
  }

  /** Lets what was written arrive first. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#place.ended()
    const { scheduler, lane } = this.#place
    scheduler.after(0, lane, { label: 'closed', run: () => this.#tellClosed(undefined) })
    this.#schedule(this.#place.network.delayMs())
  }

  /** The machine of this end is gone: the peer sees a reset in `noticeMs`. */
  lose(noticeMs: number): void {
    this.#open = false
    this.#outgoing.length = 0
    this.#place.ended()
    const peer = this.#peer
    if (peer === undefined) return
    peer.#place.scheduler.after(noticeMs, peer.#place.lane, {
      label: 'reset',
      run: () => peer.#end(reset(peer.remote))
    })
  }

  #schedule(delayMs: number): void {
    const { scheduler, lane } = this.#place
    if (this.#delivering || !this.#peer) return
    this.#delivering = true
    const run = () => {
      this.#delivering = false
      this.#deliver()
    }
    scheduler.after(delayMs, lane, { label: 'deliver', run })
  }

  #deliver(): void {
    const peer = this.#peer
    const { network, lane } = this.#place
    if (peer === undefined || !peer.#open) return
    if (network.isCut(lane.name, peer.#place.lane.name)) {
      this.#schedule(retryMs)
      return
    }
    if (peer.#paused || peer.#receive === undefined) return
    const first = this.#outgoing.shift()
    if (first === undefined) {
      if (!this.#open) peer.#end(undefined)
      return
    }
    const limit = Math.min(first.length, network.options.chunkBytes ?? 65_536)
    const length = this.#place.random.chance(0.8) ? limit : 1 + this.#place.random.below(Math.max(1, limit))
    const chunk = first.subarray(0, length)
    if (chunk.length < first.length) this.#outgoing.unshift(first.subarray(chunk.length))
    const wasFull = this.#outgoingBytes >= highWaterBytes
    this.#outgoingBytes -= chunk.length
    this.#schedule(network.delayMs() / 10)
    peer.#receive(chunk)
    if (wasFull && this.#outgoingBytes < highWaterBytes) for (const drained of this.#drained) drained()
  }

  #end(error: unknown): void {
    if (!this.#open) return
    this.#open = false
    this.#place.ended()
    this.#tellClosed(error)
  }

  #tellClosed(error: unknown): void {
    for (const closed of this.#closed.splice(0)) closed(error)
  }

  #wakePeer(): void {
    const peer = this.#peer
    if (peer !== undefined) peer.#schedule(0)
  }
}

function reset({ host, port }: NetworkAddress): NetworkError {
  return new NetworkError({ message: `${host}:${port} reset the connection`, systemCode: 'ECONNRESET', host, port })
}
