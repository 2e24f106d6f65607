/** Seeded choices: the same seed, the same choices. */
export interface RandomSource {
  /** An integer of 0 to `below` - 1. */
  below(below: number): number
  /** True once in `times`. */
  oneIn(times: number): boolean
  pick<T>(from: readonly T[]): T
}

/** Choices by splitmix32. */
export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const below = (limit: number): number => next() % limit
  return { below, oneIn: (times) => below(times) === 0, pick: (from) => from[below(from.length)] }
}
