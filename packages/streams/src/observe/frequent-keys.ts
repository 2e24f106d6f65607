/** How often a key came, at most and at least. */
export interface KeyCount {
  readonly key: string
  /** Not less than it came. */
  readonly atMost: number
  /** Not more than it came. */
  readonly atLeast: number
}

interface Counter {
  count: number
  /** How much of the count the key may owe to others. */
  readonly error: number
}

/**
 * The most frequent of any number of keys, in bounded space: the space-saving sketch (Metwally, Agrawal, El Abbadi 2005), its replacements made many at
 * a time. It holds up to twice its capacity; then the less frequent half goes, and whoever comes new from then on may have been among those, so
 * it begins with their greatest count. A key that came more often than that is always there.
 */
export class FrequentKeys {
  readonly #capacity: number
  readonly #counters = new Map<string, Counter>()
  #floor = 0
  #total = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** How many keys were added, and not forgotten since. */
  get total(): number {
    return this.#total
  }

  /** A key that came more often is among `top`, if that asks for enough. */
  get floor(): number {
    return this.#floor
  }

  add(key: string): void {
    this.#total++
    const counter = this.#counters.get(key)
    if (counter !== undefined) {
      counter.count++
      return
    }
    this.#counters.set(key, { count: this.#floor + 1, error: this.#floor })
    if (this.#counters.size >= 2 * this.#capacity) this.#prune()
  }

  /** Gives what was half its weight, so that what comes counts for more. */
  forgetHalf(): void {
    this.#total = Math.floor(this.#total / 2)
    this.#floor = Math.ceil(this.#floor / 2)
    for (const [key, { count, error }] of this.#counters) {
      this.#counters.set(key, { count: Math.ceil(count / 2), error: Math.ceil(error / 2) })
    }
  }

  /** The `n` keys that came most often, as far as is known, the most frequent first. */
  top(n: number): KeyCount[] {
    return [...this.#counters]
      .map(([key, { count, error }]) => ({ key, atMost: count, atLeast: Math.max(0, count - error) }))
      .sort((a, b) => b.atLeast - a.atLeast || b.atMost - a.atMost)
      .slice(0, n)
  }

  #prune(): void {
    const byCount = [...this.#counters].sort((a, b) => b[1].count - a[1].count)
    for (const [key, { count }] of byCount.slice(this.#capacity)) {
      this.#counters.delete(key)
      if (count > this.#floor) this.#floor = count
    }
  }
}
