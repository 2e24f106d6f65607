/** What the job is started with. */
export interface JobSettings {
  /** Of the log. */
  readonly directory: string
  /** Connection string of the captured database. */
  readonly source: string
  /** Connection string of the database that the sinks write to; without it the source runs alone. */
  readonly target?: string
  /** Rows of one chunk of a snapshot. */
  readonly chunkRows: number
  /** Most records of a transaction of the source. */
  readonly transactionRecords?: number
  /** The step at which the process kills itself: in the transactions with rows of a snapshot that follow the first of them, after so many passes. */
  readonly kill?: { readonly step: string; readonly passes: number }
}
