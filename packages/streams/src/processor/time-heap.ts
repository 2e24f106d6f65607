/**
 * Items by time, the earliest first. Which of several equal ones is next follows from the order in which they came, but is not that order: it is
 * the one of `java.util.PriorityQueue`, a binary heap, so that a task takes records of equal timestamps in the order in which Kafka Streams does.
 * An item's time does not change while it is here.
 */
export class TimeHeap<T> {
  readonly #items: T[] = []
  readonly #timeOf: (item: T) => number

  /** @param timeOf An item's time, in any unit. */
  constructor(timeOf: (item: T) => number) {
    this.#timeOf = timeOf
  }

  get size(): number {
    return this.#items.length
  }

  /** The earliest; undefined when there is none. */
  peek(): T | undefined {
    return this.#items[0]
  }

  /** In the order in which the heap keeps them: whoever adds them in this order to another heap makes the same one. */
  get kept(): readonly T[] {
    return this.#items
  }

  add(item: T): void {
    const items = this.#items
    const time = this.#timeOf(item)
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (time >= this.#timeOf(items[parent])) break
      items[at] = items[parent]
      at = parent
    }
    items[at] = item
  }

  /** Takes the earliest away. */
  take(): T | undefined {
    const items = this.#items
    const [first] = items
    const last = items.pop()
    if (last !== undefined && items.length > 0) this.#sink(last)
    return first
  }

  /** Puts an item in the first place, and down from there to where it belongs. */
  #sink(item: T): void {
    const items = this.#items
    const time = this.#timeOf(item)
    const leaves = items.length >>> 1
    let at = 0
    while (at < leaves) {
      let child = 2 * at + 1
      const right = child + 1
      if (right < items.length && this.#timeOf(items[child]) > this.#timeOf(items[right])) child = right
      if (time <= this.#timeOf(items[child])) break
      items[at] = items[child]
      at = child
    }
    items[at] = item
  }
}
