/**
 * Which bytes of a file were checked since it was opened. Ranges grow together, so that reading from one end to the other
 * leaves a single one.
 */
export class VerifiedRanges {
  /** Sorted, disjoint, not touching: from, to, from, to ... */
  #bounds: number[] = []

  covers(from: number, to: number): boolean {
    for (let index = 0; index < this.#bounds.length; index += 2) {
      if (this.#bounds[index] <= from) {
        if (to <= this.#bounds[index + 1]) return true
      } else break
    }
    return false
  }

  add(from: number, to: number): void {
    const last = this.#bounds.length - 1
    if (last > 0 && this.#bounds[last] === from) {
      this.#bounds[last] = to
      return
    }
    const merged: number[] = []
    let start = from
    let end = to
    for (let index = 0; index < this.#bounds.length; index += 2) {
      const left = this.#bounds[index]
      const right = this.#bounds[index + 1]
      if (right < start || left > end) merged.push(left, right)
      else {
        start = Math.min(start, left)
        end = Math.max(end, right)
      }
    }
    merged.push(start, end)
    this.#bounds = sortPairs(merged)
  }

  clear(): void {
    this.#bounds = []
  }
}

function sortPairs(bounds: readonly number[]): number[] {
  const pairs: [number, number][] = []
  for (let index = 0; index < bounds.length; index += 2) pairs.push([bounds[index], bounds[index + 1]])
  return pairs.sort((a, b) => a[0] - b[0]).flat()
}
