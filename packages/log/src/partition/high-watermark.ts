interface Waiter {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * The high watermark of one partition, and those who wait for it. It only rises. What is below it is safe: synced, and with
 * replicas replicated.
 */
export class HighWatermark {
  #value: number
  #waiters: Waiter[] = []
  #failure: Error | undefined

  constructor(value: number) {
    this.#value = value
  }

  get value(): number {
    return this.#value
  }

  /** Raises it to `offset` and wakes those whose offset is below it now. Returns whether it moved. */
  advance(offset: number): boolean {
    if (offset <= this.#value) return false
    this.#value = offset
    if (this.#waiters.length === 0) return true
    const waiting: Waiter[] = []
    for (const waiter of this.#waiters) {
      if (waiter.offset < offset) waiter.resolve()
      else waiting.push(waiter)
    }
    this.#waiters = waiting
    return true
  }

  /** Resolves when the record at `offset` is below the high watermark. */
  whenAbove(offset: number): Promise<void> {
    if (offset < this.#value) return Promise.resolve()
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ offset, resolve, reject })
    })
  }

  /** It will not rise any more: those who wait, and those who will, hear why. */
  fail(error: Error): void {
    this.#failure ??= error
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(error)
  }
}

/**
 * The last stable offset: the first one of the oldest undecided transaction, but never above the high watermark. The high
 * watermark is an argument, read once by the caller: reading it twice can show records of a transaction that is not decided
 * (KAFKA-9807).
 */
export function lastStableOffset(highWatermark: number, firstUnstableOffset: number | undefined): number {
  return firstUnstableOffset === undefined || firstUnstableOffset > highWatermark ? highWatermark : firstUnstableOffset
}
