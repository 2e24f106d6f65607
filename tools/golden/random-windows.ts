import type { GoldenNode, GoldenWindow } from './case.ts'
import type { RandomSource } from './random-source.ts'

/** Of graces and joins, in milliseconds. */
export const SPANS_MS = [0, 5, 10, 20, 30, 60]
const SIZES_MS = [5, 10, 20, 25, 50, 100]

/** Windows of any kind but the one without an end. Kafka Streams has no sliding windows of no width. */
export function randomWindow(random: RandomSource): GoldenWindow {
  const graceMs = random.pick(SPANS_MS)
  const sizeMs = random.pick(SIZES_MS)
  const type = random.pick(['tumbling', 'hopping', 'sliding', 'session'])
  if (type === 'tumbling') return { type, sizeMs, graceMs }
  if (type === 'hopping') return { type, sizeMs, advanceMs: Math.min(sizeMs, random.pick([3, 5, 10, 15, 25])), graceMs }
  if (type === 'sliding') return { type, differenceMs: sizeMs, graceMs }
  return { type, gapMs: random.oneIn(12) ? 1 : sizeMs, graceMs }
}

/** The division into windows that a table of windows comes from. */
export function windowsAbove(nodes: readonly GoldenNode[], id: string): GoldenNode | undefined {
  const node = nodes.find((one) => one.id === id)
  if (node === undefined || node.op === 'windowedBy') return node
  const from = typeof node.from === 'string' ? node.from : node.left
  return from === undefined ? undefined : windowsAbove(nodes, from)
}
