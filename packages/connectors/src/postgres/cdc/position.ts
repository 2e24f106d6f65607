/** Where a source of PostgreSQL's changes is, by split: the replication stream, and each table's snapshot. */
export type CdcPosition = StreamPosition | SnapshotPosition

/** Name of the replication stream's split. */
export const STREAM_SPLIT = 'stream'

/** Name of a table's split: `snapshot:schema.table`. */
export function snapshotSplit(table: string): string {
  return `snapshot:${table}`
}

/** Which database and slot a position belongs to. */
export interface StreamIdentity {
  readonly slot: string
  /** PostgreSQL's system identifier: another one is another server. */
  readonly systemId: string
  readonly timeline: number
  readonly database: string
  /** Object id of the publication: another one did not cover what was changed while there was none. */
  readonly publication: number
}

/** How far the replication stream is in the log. */
export interface StreamPosition extends StreamIdentity {
  readonly kind: 'stream'
  /** All transactions that ended before this are in the log, wholly. */
  readonly lsn: string
  /** The transaction after that, of which the first `changes` are in the log; `commit` is the position of its commit. */
  readonly open?: { readonly commit: string; readonly changes: number }
  /** While a snapshot runs: transactions in the log that its last chunk did not see yet. */
  readonly unseen?: readonly number[]
}

/** How far a table's snapshot is in the log. */
export interface SnapshotPosition {
  readonly kind: 'snapshot'
  readonly state: 'waiting' | 'running' | 'done'
  readonly mode: 'initial' | 'incremental'
  /** Which table, and which entry of the publication, all changes since have come by. */
  readonly membership?: string
  /** Rows of it in the log. */
  readonly rows: number
  /** Key of the last row, as the database's text; null before the first. */
  readonly after: readonly string[] | null
  /** Only rows that this SQL condition holds for. */
  readonly condition?: string
  /** Reads only when the transactions before this one have ended: the table was added to the publication while they ran. */
  readonly barrier?: number
  /** Of a table without a key: the next page to read, and what was visible when the stream began. */
  readonly pages?: { readonly leaf: number; readonly next: number; readonly visible: string }
}

/** A snapshot that has not begun. */
export function newSnapshot(options: Partial<SnapshotPosition> = {}): SnapshotPosition {
  return { kind: 'snapshot', state: 'waiting', mode: 'initial', rows: 0, after: null, ...options }
}
