import { batchBaseOffset, batchLastOffset } from '../wire/batch/header.ts'

/** Default of all partitions of a log directory together. */
export const TAIL_CACHE_BYTES = 4 * 1024 * 1024
/** A buffer that keeps more than this many times its bytes alive is copied. */
const MAX_PINNED_RATIO = 4
const EMPTY = Buffer.alloc(0)

interface CachedBatch {
  readonly owner: TailCache
  readonly pinnedBytes: number
}

/** What the tail caches of one log directory may hold together. The oldest batch goes first, whosever it is. */
export class TailCacheBudget {
  readonly #maxBytes: number
  #usedBytes = 0
  #queue: CachedBatch[] = []
  #head = 0

  constructor(maxBytes: number = TAIL_CACHE_BYTES) {
    this.#maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Makes room for a batch of `owner`; false when it is larger than the whole budget. */
  admit(owner: TailCache, pinnedBytes: number): boolean {
    if (pinnedBytes > this.#maxBytes) return false
    this.#queue.push({ owner, pinnedBytes })
    this.#usedBytes += pinnedBytes
    while (this.#usedBytes > this.#maxBytes) this.#evict()
    return true
  }

  /** Gives back what `owner` held. */
  release(owner: TailCache): void {
    this.#queue = this.#queue.slice(this.#head).filter((cached) => {
      if (cached.owner !== owner) return true
      this.#usedBytes -= cached.pinnedBytes
      return false
    })
    this.#head = 0
  }

  #evict(): void {
    const oldest = this.#queue[this.#head]
    this.#head += 1
    this.#usedBytes -= oldest.pinnedBytes
    oldest.owner.dropOldest()
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}

/**
 * The batches that one partition appended last, as they were given, so that readers who keep up cost no disk read and no copy.
 * They are read-only from then on and shared by all readers.
 */
export class TailCache {
  readonly #budget: TailCacheBudget
  #batches: Buffer[] = []
  #head = 0

  constructor(budget: TailCacheBudget) {
    this.#budget = budget
  }

  add(batch: Buffer): void {
    const keep = batch.buffer.byteLength > MAX_PINNED_RATIO * batch.length ? Buffer.from(batch) : batch
    const pinnedBytes = Math.max(keep.length, Math.min(keep.buffer.byteLength, MAX_PINNED_RATIO * keep.length))
    this.#batches.push(keep)
    if (!this.#budget.admit(this, pinnedBytes)) this.clear()
  }

  /** Whole batches from the one that contains `offset` on, below `endOffset`; undefined when the first is not here. */
  read(request: {
    readonly offset: number
    readonly maxBytes: number
    readonly endOffset: number
  }): Buffer[] | undefined {
    const first = this.#batches[this.#head]
    if (first === undefined || batchBaseOffset(first) > request.offset) return undefined
    const found: Buffer[] = []
    let sizeBytes = 0
    for (let index = this.#indexOf(request.offset); index < this.#batches.length; index++) {
      const batch = this.#batches[index]
      if (batchLastOffset(batch) >= request.endOffset) break
      if (found.length > 0 && sizeBytes + batch.length > request.maxBytes) break
      found.push(batch)
      sizeBytes += batch.length
    }
    return found
  }

  /** Called by the budget. */
  dropOldest(): void {
    this.#batches[this.#head] = EMPTY
    this.#head += 1
    if (this.#head > 64 && this.#head * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head)
      this.#head = 0
    }
  }

  clear(): void {
    this.#budget.release(this)
    this.#batches = []
    this.#head = 0
  }

  /** Index of the first batch that ends at or after `offset`. */
  #indexOf(offset: number): number {
    let low = this.#head
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (batchLastOffset(this.#batches[middle]) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
