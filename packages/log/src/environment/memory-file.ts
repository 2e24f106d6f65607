const pageBytes = 1 << 20
const smallestPageBytes = 1 << 8

/**
 * The contents of one file in memory. Pages of 1 MiB, the first one growing by doubling so that small files stay small; a page never
 * written is not allocated and reads as zeros.
 */
export class MemoryFile {
  modifiedMs = 0
  readonly #pages: (Buffer | undefined)[] = []
  #size = 0

  get sizeBytes(): number {
    return this.#size
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.length, this.#size - position))
    for (let done = 0; done < count; ) {
      const offset = (position + done) % pageBytes
      const length = Math.min(count - done, pageBytes - offset)
      const page = this.#pages[Math.trunc((position + done) / pageBytes)]
      const copied = page === undefined ? 0 : page.copy(target, done, offset, Math.min(offset + length, page.length))
      target.fill(0, done + copied, done + length)
      done += length
    }
    return count
  }

  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      const offset = (position + done) % pageBytes
      const length = Math.min(bytes.length - done, pageBytes - offset)
      const page = this.#pageFor(Math.trunc((position + done) / pageBytes), offset + length)
      page.set(bytes.subarray(done, done + length), offset)
      done += length
    }
    this.#size = Math.max(this.#size, position + bytes.length)
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#size) {
      this.#pages.length = Math.min(this.#pages.length, Math.ceil(sizeBytes / pageBytes))
      // What lies behind the new end must read as zeros when the file grows again.
      this.#pages[Math.trunc(sizeBytes / pageBytes)]?.fill(0, sizeBytes % pageBytes)
    }
    this.#size = sizeBytes
  }

  /** A copy of the whole contents. */
  contents(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#size)
    this.read(bytes, 0)
    return bytes
  }

  #pageFor(index: number, neededBytes: number): Buffer {
    const page = this.#pages[index]
    if (page !== undefined && page.length >= neededBytes) return page
    let capacity = index === 0 ? Math.max(smallestPageBytes, page?.length ?? 0) : pageBytes
    while (capacity < neededBytes) capacity *= 2
    const grown = Buffer.alloc(capacity)
    if (page !== undefined) page.copy(grown)
    while (this.#pages.length < index) this.#pages.push(undefined)
    this.#pages[index] = grown
    return grown
  }
}
