import { describe, expect, it } from 'vitest'
import { parseLogConfig } from '../log-config.ts'
import { type CompactableSegment, type CompactionBounds, compactionBacklog } from './compaction-backlog.ts'

/** Four segments of ten offsets and 100 bytes, written at 1,000, 2,000 ... ms; the last one is appended to. */
const segments: readonly CompactableSegment[] = [0, 1, 2, 3].map((index) => ({
  baseOffset: index * 10,
  endOffset: index * 10 + 10,
  sizeBytes: 100,
  firstTimestampMs: (index + 1) * 1_000,
  largestTimestampMs: (index + 1) * 1_000 + 500,
  settled: true
}))
const bounds: CompactionBounds = { nowMs: 5_000, lastStableOffset: 40, cleanedTo: 0, deleteHorizonMs: undefined }
const all = segments.map((segment) => ({ ...segment }))

interface Row {
  readonly what: string
  readonly config?: Readonly<Record<string, string>>
  readonly bounds?: Partial<CompactionBounds>
  readonly segments?: readonly CompactableSegment[]
  readonly bound: number
  readonly ratio: number
  readonly due: string | undefined
}

const third = 1 / 3
const rows: readonly Row[] = [
  { what: 'nothing compacted yet', bound: 30, ratio: 1, due: 'dirty ratio' },
  { what: 'one new segment of three', bounds: { cleanedTo: 20 }, bound: 30, ratio: third, due: undefined },
  {
    what: 'one of three with a lower threshold',
    config: { 'min.cleanable.dirty.ratio': '0.3' },
    bounds: { cleanedTo: 20 },
    bound: 30,
    ratio: third,
    due: 'dirty ratio'
  },
  { what: 'all compacted', bounds: { cleanedTo: 30 }, bound: 30, ratio: 0, due: undefined },
  {
    what: 'all compacted, threshold 0',
    config: { 'min.cleanable.dirty.ratio': '0' },
    bounds: { cleanedTo: 30 },
    bound: 30,
    ratio: 0,
    due: undefined
  },
  {
    what: 'compacted to the middle of a segment',
    bounds: { cleanedTo: 15 },
    bound: 30,
    ratio: 2 / 3,
    due: 'dirty ratio'
  },
  { what: 'another policy', config: { 'cleanup.policy': 'delete' }, bound: 30, ratio: 1, due: undefined },
  { what: 'both policies', config: { 'cleanup.policy': 'compact,delete' }, bound: 30, ratio: 1, due: 'dirty ratio' },
  {
    what: 'a transaction open in the third',
    bounds: { lastStableOffset: 25 },
    bound: 20,
    ratio: 1,
    due: 'dirty ratio'
  },
  { what: 'a transaction open in the first', bounds: { lastStableOffset: 5 }, bound: 0, ratio: 0, due: undefined },
  {
    what: 'records that are too young',
    config: { 'min.compaction.lag.ms': '2000' },
    bound: 20,
    ratio: 1,
    due: 'dirty ratio'
  },
  {
    what: 'records that have waited too long',
    config: { 'max.compaction.lag.ms': '1999' },
    bounds: { cleanedTo: 20 },
    bound: 30,
    ratio: third,
    due: 'compaction lag'
  },
  {
    what: 'records that have waited just long enough',
    config: { 'max.compaction.lag.ms': '2000' },
    bounds: { cleanedTo: 20 },
    bound: 30,
    ratio: third,
    due: undefined
  },
  {
    what: 'a tombstone whose time is up',
    bounds: { cleanedTo: 30, deleteHorizonMs: 5_000 },
    bound: 30,
    ratio: 0,
    due: 'delete horizon'
  },
  { what: 'one that waits', bounds: { cleanedTo: 30, deleteHorizonMs: 5_001 }, bound: 30, ratio: 0, due: undefined },
  {
    what: 'a segment whose index is still to be written',
    segments: all.map((segment, index) => ({ ...segment, settled: index !== 1 })),
    bound: 10,
    ratio: 1,
    due: 'dirty ratio'
  },
  { what: 'only the active segment', segments: all.slice(3), bound: 30, ratio: 0, due: undefined },
  { what: 'no segment', segments: [], bound: 0, ratio: 0, due: undefined },
  { what: 'a log that ends before it was compacted to', bounds: { cleanedTo: 99 }, bound: 30, ratio: 0, due: undefined }
]

describe('the backlog of compaction', () => {
  it.each(rows)('$what', (row) => {
    const config = parseLogConfig({ 'cleanup.policy': 'compact', ...row.config })
    const backlog = compactionBacklog(row.segments ?? segments, config, { ...bounds, ...row.bounds })
    expect({ bound: backlog.boundOffset, ratio: backlog.dirtyRatio, due: backlog.due }).toEqual({
      bound: row.bound,
      ratio: row.ratio,
      due: row.due
    })
  })
})
