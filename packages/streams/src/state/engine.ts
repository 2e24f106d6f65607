/**
 * The port of a storage engine: an ordered map of bytes to bytes, one per task, holding all its stores under one-byte prefixes.
 * Keys are ordered as unsigned bytes. What an engine returned is not trusted: `checked-engine.ts` adds and verifies checksums and
 * commit numbers above any engine.
 */
export interface StateEngine {
  /** Where it keeps its data, for messages. */
  readonly location: string
  /** The value, or undefined. Synchronous in every engine. The bytes are the caller's. */
  get(key: Buffer): Buffer | undefined
  /** Applies all changes or none, and resolves when they are on the disk. They are told before `write` returns; what throws meanwhile fails the write. */
  write(tell: ChangeTeller): Promise<void>
  /** Entries from `gte` to below `lt`, ascending. */
  scan(range: KeyRange): StateScan
  /** Removes a range and gives its space back in time. Not atomic with `write`: only for what no one may see any more. */
  clear(range: KeyRange): Promise<void>
  /** About how many entries there are in a range; exact where that costs no more than {@link COUNTED_ENTRIES} reads. */
  approximateEntries(range: KeyRange): Promise<number>
  /** Approximate bytes on disk (0 in memory). */
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

/** As many entries are counted one by one; only of more than these may a count be an estimate. */
export const COUNTED_ENTRIES = 1_000

/** Takes one change: put, or delete when the value is null. The buffers are the caller's again when it returns: who keeps the bytes copies them. */
export type ChangeTaker = (key: Buffer, value: Buffer | null) => void

/** Tells all changes of a batch, one after the other. No list of them is made: a commit may have hundreds of thousands. */
export type ChangeTeller = (take: ChangeTaker) => void

/** The changes of a list. */
export function changesOf(changes: Iterable<StateChange>): ChangeTeller {
  return (take) => {
    for (const { key, value } of changes) take(key, value)
  }
}

/** Put, or delete when the value is null. */
export interface StateChange {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** Half-open range of keys. */
export interface KeyRange {
  readonly gte: Buffer
  readonly lt: Buffer
  readonly reverse?: boolean
}

/** A scan in progress; pages keep the number of waits small. Close it when not read to its end. */
export interface StateScan {
  /** Up to `limit` entries; empty at the end. */
  next(limit: number): Promise<readonly (readonly [Buffer, Buffer])[]>
  close(): Promise<void>
}
