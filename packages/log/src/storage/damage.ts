/**
 * What recovery found broken in a partition's files and what it did about it. A report is data: the broker logs it and counts
 * it. `path` and `position` (bytes) name the place.
 */
export interface DamageReport {
  readonly kind: DamageKind
  readonly path: string
  readonly position: number
  /** How many bytes are broken or were cut; 0 where a whole file was. */
  readonly sizeBytes: number
  /** Offsets that may be missing from now on, `toOffset` exclusive; equal when no record was lost. */
  readonly fromOffset: number
  readonly toOffset: number
  /** Where the broken bytes were kept, if they were. */
  readonly savedAs: string | undefined
  /** One sentence: what was wrong and what was done. */
  readonly message: string
}

/**
 * - `torn-tail`: the end of the last write before a crash, never acknowledged; cut.
 * - `damaged-range`: bad bytes between valid batches, moved aside; their offsets are a gap now.
 * - `lost-tail`: batches that had been synced are gone from the end of the log.
 * - `rebuilt`: an index, snapshot or checkpoint did not match the log and was made again from it; nothing was lost.
 * - `unreadable`: a reader met bad bytes in the middle of a segment; the next start moves them aside.
 */
export type DamageKind = 'torn-tail' | 'damaged-range' | 'lost-tail' | 'rebuilt' | 'unreadable'

/** Receives reports while a partition opens and is read. */
export type OnDamage = (report: DamageReport) => void

/** The report of a file that was made again from the log. */
export function rebuiltReport(path: string, message: string): DamageReport {
  return { kind: 'rebuilt', path, position: 0, sizeBytes: 0, fromOffset: 0, toOffset: 0, savedAs: undefined, message }
}
