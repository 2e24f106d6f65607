/** Endings of the files that belong to one segment; the name before is its base offset in 20 digits. */
export const SegmentSuffix = {
  log: '.log',
  offsetIndex: '.index',
  timeIndex: '.timeindex',
  transactionIndex: '.txnindex',
  /** Millrace's own: sizes and checksums of the files above. Kafka ignores it. */
  summary: '.summary',
  /** Millrace's own, and empty: a reader met bad bytes, so the next start reads the segment whole. */
  suspect: '.suspect'
} as const

/** Endings of files that stand in the way of nothing: left by a crash, to be removed at the next start. */
export const TEMPORARY_SUFFIXES = ['.deleted', '.cleaned', '.swap', '.tmp'] as const

/** Ending of a file that waits to be removed. */
export const DELETED_SUFFIX = '.deleted'
/** Ending of a segment that is being written again. */
export const CLEANED_SUFFIX = '.cleaned'
/** Ending of a segment that is about to replace others. */
export const SWAP_SUFFIX = '.swap'
/** Ending of a producer snapshot; the name before is the offset it was taken at. */
export const SNAPSHOT_SUFFIX = '.snapshot'

/** `offset` as the 20 digits that Kafka names files by. */
export function offsetName(offset: number): string {
  return String(offset).padStart(20, '0')
}

/** The offset in the name `<20 digits><suffix>`, or undefined when `name` is no such name. */
export function offsetOfName(name: string, suffix: string): number | undefined {
  if (name.length !== 20 + suffix.length || !name.endsWith(suffix)) return undefined
  const digits = name.slice(0, 20)
  if (!/^\d{20}$/.test(digits)) return undefined
  const offset = Number(digits)
  return Number.isSafeInteger(offset) ? offset : undefined
}
