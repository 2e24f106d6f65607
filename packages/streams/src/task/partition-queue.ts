import { InvariantError } from '@millrace/log'
import type { Header, StreamRecord } from '../graph/record.ts'
import type { CompiledSource } from '../processor/compile.ts'
import type { PartitionTime } from './stream-time.ts'

/** Whole batches of one partition, as a consumer fetched them. */
export interface FetchedRecords {
  readonly topic: string
  readonly partition: number
  /** Data batches in order; the first may begin before the position. */
  readonly batches: readonly BatchOfRecords[]
  /** The offset that was asked for. */
  readonly position: number
  /** Where the next fetch goes on: past markers and gaps. */
  readonly nextOffset: number
  readonly lastStableOffset: number
}

/** The part of a record batch that a queue uses. */
export interface BatchOfRecords {
  readonly recordCount: number
  records(): RecordView
}

/** A cursor over a batch's records: one object, moved along. Positions are bytes in `buffer`; a start of -1 means null. */
export interface RecordView {
  next(): boolean
  readonly offset: number
  readonly timestamp: number
  readonly buffer: Buffer
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  headers(): readonly Header[]
}

/** A record as it was on the log: copies, to be given away. */
export interface OriginalRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly Header[]
}

/** One input partition of a task: fetched batches, of which only the head record has been looked at. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly source: CompiledSource
  readonly time: PartitionTime
  /** The decoded next record, once it was looked at. */
  head: StreamRecord | undefined
  #batches: BatchOfRecords[] = []
  #cursor: RecordView | undefined
  /** Records at and after the cursor. */
  #buffered = 0
  /** Offset below which all is consumed; undefined before the first fetch. */
  #position: number | undefined
  #fetched: { readonly nextOffset: number; readonly lastStableOffset: number } | undefined

  constructor(input: { topic: string; partition: number; source: CompiledSource; time: PartitionTime }) {
    this.topic = input.topic
    this.partition = input.partition
    this.source = input.source
    this.time = input.time
  }

  /** Records that are neither consumed nor dropped. */
  get buffered(): number {
    return this.#buffered
  }

  /** True when the log is known to hold more for this partition, and nothing of it is here. */
  get lagging(): boolean {
    const fetched = this.#fetched
    return this.#buffered === 0 && fetched !== undefined && fetched.nextOffset < fetched.lastStableOffset
  }

  /** Where a restart would go on: past markers and gaps when all is consumed. Undefined when nothing was fetched yet. */
  get consumedOffset(): number | undefined {
    return this.#buffered === 0 ? (this.#fetched?.nextOffset ?? this.#position) : this.#position
  }

  offer({ batches, position, nextOffset, lastStableOffset }: FetchedRecords): void {
    if (this.#buffered === 0) this.#position = Math.max(position, this.#position ?? 0)
    this.#fetched = { nextOffset, lastStableOffset }
    for (const batch of batches) {
      this.#batches.push(batch)
      this.#buffered += batch.recordCount
    }
  }

  /** Moves to the next record and shows it, undecoded; undefined when there is none. Shown records are valid until the next call. */
  advance(): RecordView | undefined {
    const position = this.#position ?? 0
    for (;;) {
      this.#cursor ??= this.#batches.shift()?.records()
      const cursor = this.#cursor
      if (cursor === undefined) return undefined
      while (cursor.next()) {
        if (cursor.offset >= position) return cursor
        this.#buffered--
      }
      this.#cursor = undefined
    }
  }

  /** The record last shown is done with: processed, or dropped. */
  consumed(offset: number): void {
    this.head = undefined
    this.#buffered--
    this.#position = offset + 1
  }

  /** The record last shown, as it was. */
  original(): OriginalRecord {
    const view = this.#cursor
    if (view === undefined) throw new InvariantError(`no record of ${this.topic}-${this.partition} has been shown`)
    return {
      key: copyOf(view.buffer, view.keyStart, view.keyEnd),
      value: copyOf(view.buffer, view.valueStart, view.valueEnd),
      timestamp: view.timestamp,
      headers: view.headers()
    }
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer | null {
  return start < 0 ? null : Buffer.from(bytes.subarray(start, end))
}
