import { crc32 } from 'node:zlib'

/** What happened, in order, as one number: two runs with the same hash took the same course. */
export class TraceHash {
  #hash = 0
  #events = 0

  note(what: string, value = 0): void {
    this.#hash = crc32(`${what} ${value}\n`, this.#hash)
    this.#events++
  }

  noteBytes(bytes: Uint8Array): void {
    this.#hash = crc32(bytes, this.#hash)
  }

  /** Hexadecimal, with the number of events before it. */
  toString(): string {
    return `${this.#events}-${this.#hash.toString(16).padStart(8, '0')}`
  }
}
