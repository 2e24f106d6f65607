import type { KeyRange } from './engine.ts'

/** An ordered map from bytes to bytes in memory. It is sorted when it is scanned, not when it is written. */
export class OrderedBytes {
  /** By the key's bytes as latin1, whose order as text is the order of the bytes. */
  readonly #values = new Map<string, Buffer>()
  #sorted: string[] | undefined = []
  #sizeBytes = 0

  get size(): number {
    return this.#values.size
  }

  /** Bytes of all keys and values. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(key: Buffer): Buffer | undefined {
    return this.#values.get(key.toString('latin1'))
  }

  set(key: Buffer, value: Buffer): void {
    const name = key.toString('latin1')
    const old = this.#values.get(name)
    if (old === undefined) this.#sorted = undefined
    this.#sizeBytes += value.length - (old === undefined ? -name.length : old.length)
    this.#values.set(name, value)
  }

  delete(key: Buffer): void {
    this.#delete(key.toString('latin1'))
  }

  clear(range: KeyRange): void {
    const names = this.#sort()
    const end = lowerBound(names, range.lt.toString('latin1'))
    for (let at = lowerBound(names, range.gte.toString('latin1')); at < end; at++) this.#delete(names[at])
  }

  /** Up to `limit` entries of the range after (before, when reversed) the key `after`. */
  page(range: KeyRange, after: Buffer | undefined, limit: number): (readonly [Buffer, Buffer])[] {
    const names = this.#sort()
    let from = lowerBound(names, range.gte.toString('latin1'))
    let to = lowerBound(names, range.lt.toString('latin1'))
    if (after !== undefined) {
      if (range.reverse === true) to = lowerBound(names, after.toString('latin1'))
      else from = lowerBound(names, `${after.toString('latin1')}\0`)
    }
    if (range.reverse === true) from = Math.max(from, to - limit)
    else to = Math.min(to, from + limit)
    const page: (readonly [Buffer, Buffer])[] = []
    for (let at = from; at < to; at++) {
      const value = this.#values.get(names[at])
      if (value !== undefined) page.push([Buffer.from(names[at], 'latin1'), value])
    }
    return range.reverse === true ? page.reverse() : page
  }

  /** Entries in a range. */
  count(range: KeyRange): number {
    const names = this.#sort()
    return Math.max(0, lowerBound(names, range.lt.toString('latin1')) - lowerBound(names, range.gte.toString('latin1')))
  }

  *entries(): Generator<readonly [Buffer, Buffer]> {
    for (const [name, value] of this.#values) yield [Buffer.from(name, 'latin1'), value]
  }

  #delete(name: string): void {
    const old = this.#values.get(name)
    if (old === undefined) return
    this.#values.delete(name)
    this.#sizeBytes -= name.length + old.length
    this.#sorted = undefined
  }

  #sort(): string[] {
    this.#sorted ??= [...this.#values.keys()].sort()
    return this.#sorted
  }
}

function lowerBound(sorted: readonly string[], name: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < name) low = middle + 1
    else high = middle
  }
  return low
}
