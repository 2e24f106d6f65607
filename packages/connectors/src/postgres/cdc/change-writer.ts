import type { ConnectorEvent } from '../../connector-event.ts'
import type { SourceRecord } from '../../source.ts'
import type { Change, ChangeOrigin, EnvelopeWriter } from './envelope.ts'
import type { Tuple } from './pgoutput/message.ts'
import type { Lsn } from './replication/lsn.ts'
import type { RecentChanges } from './snapshot/recent-changes.ts'
import type { OutOfLineMemory } from './tables/out-of-line-memory.ts'
import type { Relation } from './tables/relations.ts'
import { hasUnchanged } from './tables/table-encoder.ts'

/** What a writer of changes works with. */
export interface ChangeWriterParts {
  readonly envelope: EnvelopeWriter
  readonly memory: OutOfLineMemory
  readonly recent: RecentChanges
  readonly add: (record: SourceRecord) => void
  readonly tombstones: boolean
  /** Whether a table's first snapshot is not finished: then every row will still be read. */
  readonly isBeingRead: (table: string) => boolean
  readonly report: (event: ConnectorEvent) => void
}

/** One change of a row, as the stream tells it. */
export interface RowChangeOf {
  readonly relation: Relation
  readonly lsn: Lsn
  readonly xid: number
  readonly origin: ChangeOrigin
  readonly order?: NonNullable<Change['order']>
}

/** What a record has beside its change event. */
type KeyAndHeaders = Pick<SourceRecord, 'key' | 'headers'>

const NEW_KEY_HEADER = '__debezium.newkey'
const OLD_KEY_HEADER = '__debezium.oldkey'

/** Makes records of changes of rows: keys that change, tombstones, values out of line. */
export class ChangeWriter {
  readonly #parts: ChangeWriterParts
  readonly #reported = new Set<string>()

  constructor(parts: ChangeWriterParts) {
    this.#parts = parts
  }

  insert(change: RowChangeOf, row: Tuple): void {
    const { memory } = this.#parts
    const table = change.relation.encoder
    const key = this.#parts.envelope.key(table, row)
    memory.remember(table, key, row)
    this.#note(change, key)
    this.#emit(change, { operation: 'c', after: row }, { key })
  }

  /** @param old the old row under REPLICA IDENTITY FULL, or the old key if it changed. */
  update(change: RowChangeOf, row: Tuple, old: Tuple | undefined): void {
    const { envelope, memory } = this.#parts
    const table = change.relation.encoder
    const key = envelope.key(table, row)
    const oldKey = old && table.hasKey ? envelope.key(table, old) : key
    const hasMoved = key !== null && oldKey !== null && !key.equals(oldKey)
    const full = change.relation.hasFullIdentity ? old : undefined
    const complete = memory.complete(table, oldKey, { row, old: full })
    if (hasMoved && oldKey && old) {
      memory.forget(table, oldKey)
      this.#note(change, oldKey, { movedTo: key.toString('latin1') })
      this.#delete(change, old, { key: oldKey, headers: [{ key: NEW_KEY_HEADER, value: key }] })
    }
    if (!complete && key && this.#parts.isBeingRead(table.name)) {
      // The snapshot has not read this row yet and will, with the values that are missing here.
      this.#note(change, key, { incomplete: ownTuple(row) })
      return
    }
    if (!complete) this.#reportUnknown(table.name)
    const after = complete ?? row
    if (complete) memory.remember(table, key, complete)
    this.#note(change, key)
    if (hasMoved && oldKey) {
      this.#emit(change, { operation: 'c', after }, { key, headers: [{ key: OLD_KEY_HEADER, value: oldKey }] })
    } else {
      this.#emit(change, { operation: 'u', ...(full ? { before: full } : {}), after }, { key })
    }
  }

  delete(change: RowChangeOf, old: Tuple): void {
    const table = change.relation.encoder
    const key = this.#parts.envelope.key(table, old)
    this.#parts.memory.forget(table, key)
    this.#note(change, key)
    this.#delete(change, old, { key })
  }

  /** Empties the table. */
  async truncate(change: RowChangeOf, emit: boolean): Promise<void> {
    const { memory, recent } = this.#parts
    await memory.forgetTable(change.relation.encoder.name)
    if (recent.isRecording) recent.truncated(change.relation.encoder.name, change.xid)
    if (emit) this.#emit(change, { operation: 't' }, { key: null })
  }

  #delete(change: RowChangeOf, old: Tuple, record: KeyAndHeaders): void {
    const columns = change.relation.hasFullIdentity ? 'all' : 'key'
    this.#emit(change, { operation: 'd', before: old, beforeColumns: columns }, record)
    if (!this.#parts.tombstones || record.key === null) return
    this.#parts.add({
      ...record,
      topic: this.#parts.envelope.topicOf(change.relation.encoder),
      value: null,
      timestamp: Math.floor(change.origin.commitMicros / 1000)
    })
  }

  #emit(change: RowChangeOf, event: Omit<Change, 'lsn' | 'order'>, record: KeyAndHeaders): void {
    const { relation, lsn, origin, order } = change
    const written = { ...event, lsn, ...(order ? { order } : {}) }
    this.#parts.add(this.#parts.envelope.record(relation.encoder, written, { ...record, origin }))
  }

  #note(change: RowChangeOf, key: Buffer | null, more?: { movedTo?: string; incomplete?: Tuple }): void {
    const { recent } = this.#parts
    if (recent.isRecording && key) recent.note(change.relation.encoder.name, key, { xid: change.xid, ...more })
  }

  #reportUnknown(table: string): void {
    if (this.#reported.has(table)) return
    this.#reported.add(table)
    this.#parts.report({
      level: 'warning',
      code: 'unchanged-value-unknown',
      message:
        `an update of ${table} left out a large value that did not change, and this source has never seen the row: the record holds ` +
        `__debezium_unavailable_value. A snapshot, or ALTER TABLE ${table} REPLICA IDENTITY FULL, makes such values known`
    })
  }
}

/** A tuple that outlives the message it came in. */
function ownTuple(tuple: Tuple): Tuple {
  return hasUnchanged(tuple) ? { bytes: Buffer.from(tuple.bytes), places: tuple.places.slice() } : tuple
}
