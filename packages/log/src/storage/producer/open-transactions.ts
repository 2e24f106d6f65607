/** A transaction that ended here. */
export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Offset of its marker. */
  readonly lastOffset: number
  readonly commit: boolean
}

/**
 * Transactions that hold back the last stable offset: those without a marker, and those whose marker is not below the high
 * watermark yet, since until then its decision may still be lost (KAFKA-5121).
 */
export class OpenTransactions {
  /** First offset -> producer id. Transactions begin in the order of offsets, so the first key is the oldest. */
  readonly #ongoing = new Map<number, number>()
  #undecided: { readonly firstOffset: number; readonly lastOffset: number }[] = []

  get size(): number {
    return this.#ongoing.size
  }

  begin(producerId: number, firstOffset: number): void {
    this.#ongoing.set(firstOffset, producerId)
  }

  /** Takes note of a marker. Returns the last stable offset to write to the transaction index. */
  complete(transaction: CompletedTransaction): number {
    this.#ongoing.delete(transaction.firstOffset)
    this.#undecided.push(transaction)
    return this.#firstOngoing() ?? transaction.lastOffset + 1
  }

  /** Forgets transactions whose marker is below the high watermark. */
  decideBelow(highWatermark: number): void {
    if (this.#undecided.length === 0) return
    this.#undecided = this.#undecided.filter((transaction) => transaction.lastOffset >= highWatermark)
  }

  /** First offset of the oldest transaction that is not decided. */
  firstUnstableOffset(): number | undefined {
    let first = this.#firstOngoing()
    for (const { firstOffset } of this.#undecided) {
      if (first === undefined || firstOffset < first) first = firstOffset
    }
    return first
  }

  #firstOngoing(): number | undefined {
    return this.#ongoing.keys().next().value
  }
}
