/** Where an application is in its life. */
export type AppState =
  | { readonly status: 'starting' }
  | { readonly status: 'restoring' }
  | { readonly status: 'running' }
  /** A transaction was aborted; the application goes back to its last commit and starts from there. */
  | { readonly status: 'restarting'; readonly reason: unknown }
  | { readonly status: 'closing' }
  | { readonly status: 'closed' }
  | { readonly status: 'failed'; readonly error: unknown }

/** Progress of one store's restore from its changelog. */
export interface RestoreProgress {
  readonly store: string
  readonly task: string
  readonly topic: string
  readonly partition: number
  readonly fromOffset: number
  readonly offset: number
  readonly endOffset: number
  /** Records read so far; less than the offsets passed where markers and compaction left gaps. */
  readonly records: number
  readonly done: boolean
  /** Milliseconds until done at the pace so far; undefined before there is one. */
  readonly remainingMs?: number
  /** Present when the state on disk could not be used, and why. */
  readonly rebuildReason?: string
}

/** Figures of a running application, as of its last commit. */
export interface AppMetrics {
  /** Records taken from source topics since the start. */
  readonly processedRecords: number
  /** Records dropped since the start of the application's life on this log, by reason (`late`, `null-key`, `skipped`, ...). */
  readonly droppedRecords: Readonly<Record<string, number>>
  readonly commits: number
  /** Wall clock time of the last commit, milliseconds since the epoch; undefined before the first. */
  readonly lastCommitAtMs?: number
  /** Milliseconds the last commit took. */
  readonly lastCommitDurationMs: number
  /** Records between the positions and the ends of the source partitions, as far as known. */
  readonly lag: number
  /**
   * Of the topic whose partitions are read most unevenly here: records of its largest one, as a multiple of their mean. 1 is even; `app.skew()` says
   * where and why.
   */
  readonly imbalance: number
  /** Approximate bytes of changes that wait for the commit. */
  readonly bufferedBytes: number
}
