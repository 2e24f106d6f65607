/** What to read from one partition. Bounds in bytes; the first batch is returned whole even when it is larger. */
export interface ReadRequest {
  /** The batch that contains this offset comes first, whole, even when it begins before it. */
  readonly offset: number
  readonly maxBytes: number
  /** `read_committed` ends at the last stable offset and lists aborted transactions; `uncommitted_log_end` is for internal readers. */
  readonly isolation: 'read_uncommitted' | 'read_committed' | 'log_end'
}

/** Whole batches, read-only and perhaps shared with other readers. */
export interface BatchRead {
  readonly chunks: readonly Buffer[]
  readonly sizeBytes: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Sorted by first offset; empty unless `read_committed`. */
  readonly abortedTransactions: readonly AbortedTransaction[]
}

/** One aborted transaction that overlaps a read. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}
