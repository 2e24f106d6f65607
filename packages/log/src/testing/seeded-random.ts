import type { RandomSource } from '../environment/environment.ts'

/** Random numbers that one seed repeats (sfc32, by Chris Doty-Humphrey, public domain). Not for secrets. */
export class SeededRandom implements RandomSource {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number | string) {
    const hash = hashText(String(seed))
    this.#a = hash
    this.#b = Math.imul(hash ^ 0x9e3779b9, 0x85ebca6b)
    this.#c = Math.imul(hash ^ 0x7f4a7c15, 0xc2b2ae35)
    for (let round = 0; round < 15; round++) this.uint32()
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let i = 0; i < length; i++) bytes[i] = this.uint32() >>> 24
    return bytes
  }

  /** A uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * bound)
  }

  /** A uniform number in [low, high). */
  between(low: number, high: number): number {
    return low + (this.uint32() / 2 ** 32) * (high - low)
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uint32() < probability * 2 ** 32
  }

  /** One of them; there must be one. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  /** A generator of its own, so that one component's use of chance does not shift another's. */
  split(name: string): SeededRandom {
    return new SeededRandom(`${name}:${this.uint32()}:${this.uint32()}`)
  }
}

/** FNV-1a with a final avalanche: a text's 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) | 0
}
