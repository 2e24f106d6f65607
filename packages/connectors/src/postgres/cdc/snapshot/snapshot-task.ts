import { newSnapshot, type SnapshotPosition } from '../position.ts'
import type { TableEncoder } from '../tables/table-encoder.ts'
import type { RowBlock } from './copy-rows.ts'
import type { Visibility } from './visibility.ts'

const FIRST_CHUNK_ROWS = 2000
const MIN_CHUNK_ROWS = 50

/** Rows that were read and wait for their mark in the stream. */
export interface Chunk {
  readonly watermark: string
  readonly task: SnapshotTask
  readonly encoder: TableEncoder
  readonly visibility: Visibility
  readonly blocks: readonly RowBlock[]
  /** The table's snapshot after this chunk. */
  readonly after: SnapshotPosition
  readonly readAtMs: number
}

/** The snapshot of one table: how far it is read, and how far that is in the log. */
export class SnapshotTask {
  /** `schema.table`. */
  readonly table: string
  /** As far as the chunks that the stream has passed. */
  position: SnapshotPosition
  /** As far as was read; rows count when they are passed. */
  cursor: SnapshotPosition
  #rows = FIRST_CHUNK_ROWS

  constructor(table: string, position: SnapshotPosition = newSnapshot()) {
    this.table = table
    this.position = position
    this.cursor = position
  }

  get isRead(): boolean {
    return this.cursor.state === 'done'
  }

  get isDone(): boolean {
    return this.position.state === 'done'
  }

  /** Begins again where the log is: what was read since is forgotten. */
  rewind(): void {
    this.cursor = this.position
  }

  /** Rows to ask for next. */
  get chunkRows(): number {
    return this.#rows
  }

  /** Learns from a chunk how many rows fit into the bytes that a chunk may have. */
  adapt(rows: number, bytes: number, limits: { readonly rows: number; readonly bytes: number }): void {
    if (rows === 0) return
    const fitting = Math.floor(limits.bytes / (bytes / rows))
    this.#rows = Math.max(MIN_CHUNK_ROWS, Math.min(limits.rows, fitting, this.#rows * 4))
  }
}
