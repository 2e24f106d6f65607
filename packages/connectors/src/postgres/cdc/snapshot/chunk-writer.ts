import type { SourceRecord } from '../../../source.ts'
import type { ChangeOrigin, EnvelopeWriter, SnapshotMark } from '../envelope.ts'
import type { Tuple } from '../pgoutput/message.ts'
import type { Lsn } from '../replication/lsn.ts'
import { fill, type OutOfLineMemory, valueAt } from '../tables/out-of-line-memory.ts'
import type { TableEncoder } from '../tables/table-encoder.ts'
import { splitCopiedRow } from './copy-rows.ts'
import type { RecentChange, RecentChanges } from './recent-changes.ts'
import type { Chunk } from './snapshot-task.ts'
import { isVisible, parseVisibility, type Visibility } from './visibility.ts'

/** What is needed to write a chunk. */
export interface ChunkWriterParts {
  readonly envelope: EnvelopeWriter
  readonly memory: OutOfLineMemory
  readonly recent: RecentChanges
  readonly add: (record: SourceRecord) => void
}

/** Writes the rows of a chunk as reads, but those that the stream has changed since. @returns how many were written. */
export function writeChunk(chunk: Chunk, at: Lsn, parts: ChunkWriterParts): number {
  if (parts.recent.isTruncated(chunk.encoder.name, chunk.visibility)) return 0
  return new ChunkWriter(chunk, at, parts).write()
}

class ChunkWriter {
  readonly #chunk: Chunk
  readonly #at: Lsn
  readonly #parts: ChunkWriterParts
  readonly #origin: ChangeOrigin
  /** Which rows of a table without a key the stream does not deliver itself. */
  readonly #before: Visibility | undefined
  #written = 0

  constructor(chunk: Chunk, at: Lsn, parts: ChunkWriterParts) {
    this.#chunk = chunk
    this.#at = at
    this.#parts = parts
    const visible = chunk.after.pages?.visible
    this.#before = visible ? parseVisibility(visible) : undefined
    const snapshot: SnapshotMark = chunk.task.position.mode === 'incremental' ? 'incremental' : 'true'
    this.#origin = { xid: null, commitMicros: chunk.readAtMs * 1000, lastCommitLsn: at, snapshot }
  }

  write(): number {
    const { encoder, blocks } = this.#chunk
    const columns = encoder.shape.columns.length
    const places = new Int32Array((encoder.hasKey ? columns : columns + 1) * 2)
    const rowPlaces = encoder.hasKey ? places : places.subarray(0, columns * 2)
    const isQuiet = this.#parts.recent.isEmpty(encoder.name)
    for (const { bytes, ends } of blocks) {
      const row = { bytes, places: rowPlaces }
      const text = { source: bytes, start: 0, end: 0 }
      for (const end of ends) {
        text.end = end
        splitCopiedRow(text, places)
        text.start = end
        if (encoder.hasKey) this.#keyed(row, isQuiet)
        else if (this.#isOurs(bytes, places, columns)) this.#emit(null, row)
      }
    }
    return this.#written
  }

  #keyed(row: Tuple, isQuiet: boolean): void {
    const { envelope, recent } = this.#parts
    const { encoder, visibility } = this.#chunk
    const key = envelope.key(encoder, row)
    const change = isQuiet || !key ? undefined : recent.changeOf(encoder.name, key)
    if (!change || !key) {
      this.#emit(key, row)
      return
    }
    if (change.incomplete && isVisible(change.xid, visibility)) {
      this.#emit(key, row)
      return
    }
    const last = change.movedTo === undefined ? { change, key } : recent.follow(encoder.name, change)
    if (last?.change.incomplete && !isVisible(last.change.xid, visibility)) this.#complete(last.key, last.change, row)
  }

  /** The stream's newer row with the values that only the read row has. */
  #complete(key: Buffer, change: RecentChange, row: Tuple): void {
    const { incomplete } = change
    if (!incomplete || incomplete.places.length !== row.places.length) return
    const complete = fill(incomplete, (column) => valueAt(row, column))
    if (complete) this.#emit(key, complete)
  }

  #isOurs(bytes: Buffer, places: Int32Array, columns: number): boolean {
    const start = places[columns * 2]
    const xid = Number(bytes.toString('latin1', start, start + places[columns * 2 + 1]))
    // A row that is visible now and seems to be from the future is frozen: its id is from before the last wraparound.
    if (!this.#before || !isVisible(xid, this.#chunk.visibility)) return true
    return isVisible(xid, this.#before)
  }

  #emit(key: Buffer | null, row: Tuple): void {
    const { envelope, memory, add } = this.#parts
    const table: TableEncoder = this.#chunk.encoder
    if (key) memory.remember(table, key, row)
    add(envelope.record(table, { operation: 'r', lsn: this.#at, after: row }, { key, origin: this.#origin }))
    this.#written += 1
  }
}
