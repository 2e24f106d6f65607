import type { GoldenInput, GoldenNode } from './case.ts'

/** A topology with all its spans of time so many times as long. */
export function scaledTopology(topology: readonly GoldenNode[], factor: number): GoldenNode[] {
  return topology.map((node) => scaledFields(node, factor))
}

/** Input with its times, from 0 on, so many times as far apart, and then all of them so much later; steps of the wall clock alike. */
export function scaledInput(input: readonly GoldenInput[], factor: number, laterMs: number): GoldenInput[] {
  return input.map((one) => {
    if ('wallClockMs' in one) return { wallClockMs: one.wallClockMs * factor }
    const [topic, key, value, timestamp] = one
    return [topic, key, value, timestamp * factor + laterMs]
  })
}

/** Fields whose names end in `Ms`, also of what is in a node. */
function scaledFields<T extends object>(of: T, factor: number): T {
  const scaled = Object.entries(of).map(([name, value]: [string, unknown]) => {
    if (typeof value === 'number' && name.endsWith('Ms')) return [name, value * factor]
    const isFields = typeof value === 'object' && value !== null && !Array.isArray(value)
    return [name, isFields ? scaledFields(value, factor) : value]
  })
  return { ...of, ...Object.fromEntries(scaled) }
}
