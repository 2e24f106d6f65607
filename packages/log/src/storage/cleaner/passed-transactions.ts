import type { AbortedSpan } from '../segment/transaction-index.ts'

/** The transactions of a log as compaction passes them, batch by batch. */
export class PassedTransactions {
  /** Of each producer, rising; transactions of one producer do not overlap. */
  readonly #aborted = new Map<number, AbortedSpan[]>()
  readonly #byMarker = new Map<number, AbortedSpan>()
  /** Producers with transactional data since their last marker. */
  readonly #withData = new Set<number>()

  /** @param aborted the aborted transactions that overlap the offsets to pass, by first offset. */
  constructor(aborted: readonly AbortedSpan[]) {
    for (const span of aborted) {
      const spans = this.#aborted.get(span.producerId)
      if (spans === undefined) this.#aborted.set(span.producerId, [span])
      else spans.push(span)
      this.#byMarker.set(span.lastOffset, span)
    }
  }

  /** Whether a transactional data batch at `offset` was aborted. */
  isAborted(producerId: number, offset: number): boolean {
    const spans = this.#aborted.get(producerId)
    return spans?.some((span) => span.firstOffset <= offset && offset <= span.lastOffset) ?? false
  }

  /** A transactional data batch was passed. */
  passData(producerId: number): void {
    this.#withData.add(producerId)
  }

  /** A marker was passed; returns whether data of its transaction was. */
  passMarker(producerId: number): boolean {
    return this.#withData.delete(producerId)
  }

  /** The aborted transaction that the marker at `offset` ended. */
  endingAt(offset: number): AbortedSpan | undefined {
    return this.#byMarker.get(offset)
  }
}
