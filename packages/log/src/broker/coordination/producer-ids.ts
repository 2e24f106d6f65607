/** A block of producer ids: [first, first + length). */
export interface ProducerIdRange {
  readonly first: number
  readonly length: number
}

/** Hands out producer ids one by one from blocks that the cluster's metadata gives to this broker. */
export class ProducerIds {
  readonly #allocate: () => Promise<ProducerIdRange>
  #next = 0
  #end = 0
  #allocating: Promise<void> | undefined

  constructor(allocate: () => Promise<ProducerIdRange>) {
    this.#allocate = allocate
  }

  /** An id that was never handed out before. Rejects when no block can be had. */
  async take(): Promise<number> {
    while (this.#next === this.#end) {
      this.#allocating ??= this.#refill()
      await this.#allocating
    }
    const taken = this.#next
    this.#next += 1
    return taken
  }

  async #refill(): Promise<void> {
    try {
      const { first, length } = await this.#allocate()
      this.#next = first
      this.#end = first + length
    } finally {
      this.#allocating = undefined
    }
  }
}
