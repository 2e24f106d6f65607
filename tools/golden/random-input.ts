import type { GoldenInput, GoldenNode } from './case.ts'
import type { RandomSource } from './random-source.ts'

const KEYS = ['a', 'b', 'c', 'ab', 'a', 'b', 'f0', 'f1', 'f2', 'f3', 'm0', 'm1']
const FEW_KEYS = ['a', 'b', 'c']
/** Of which bytes and UTF-16 sort otherwise, or one begins another. */
const ODD_KEYS = ['a', 'a\u0000', 'A', 'é', '\uffee', '\u{1f600}', 'a@1/2', 'b', 'ab']
/** Values that are not plain numbers. */
const ODD_VALUES = ['', 'x', '007', 'a1b2', '1000003', '-5', 'é8']
const MS_UNITS = [1, 5, 10, 25]

/** Records for the topics that a topology reads: nulls, late records, equal timestamps, jumps in time, and steps of the wall clock. */
export function randomInput(topology: readonly GoldenNode[], random: RandomSource): GoldenInput[] {
  const sources = new Set(['stream', 'table', 'globalTable', 'versionedTable'])
  const topics = topology.flatMap(({ op, topic }) => (sources.has(op) && topic !== undefined ? [topic] : []))
  const anyKeys = random.oneIn(3) ? KEYS : random.oneIn(6) ? ODD_KEYS : FEW_KEYS
  // Kafka Streams loses values without bytes on their way through a foreign-key join.
  const oddValues = topology.some(({ foreignKeyFn }) => foreignKeyFn !== undefined) ? ODD_VALUES.slice(1) : ODD_VALUES
  // Kafka Streams' buffer of a join with grace has numbers behind its keys, and its order is that of both.
  const isOrdered = topology.some(({ op, graceMs }) => op.endsWith('oin') && graceMs !== undefined)
  const keys = isOrdered ? anyKeys.filter((key) => !key.includes('\u0000')) : anyKeys
  const unitMs = random.pick(MS_UNITS)
  const hasClock = topology.some(({ fn }) => fn === 'countsEachWallClock') || random.oneIn(6)
  let nowMs = random.pick([0, 3, 50, 100, 1_000])
  return Array.from({ length: 20 + random.below(random.oneIn(5) ? 150 : 50) }, (): GoldenInput => {
    if (hasClock && random.oneIn(5)) return { wallClockMs: 1 + random.below(60) }
    if (random.oneIn(12)) nowMs += random.below(20 * unitMs + 200)
    else if (!random.oneIn(4)) nowMs += random.below(2 * unitMs)
    const lateMs = random.oneIn(3) ? random.below(random.oneIn(4) ? 200 : 5 * unitMs) : 0
    const key = random.oneIn(20) ? null : random.oneIn(60) ? '' : random.pick(keys)
    const value = random.oneIn(10) ? null : random.oneIn(20) ? random.pick(oddValues) : String(random.below(100))
    return [random.pick(topics), key, value, Math.max(0, nowMs - lateMs)]
  })
}
