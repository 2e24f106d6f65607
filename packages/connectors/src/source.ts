import type { Environment, Header } from '@millrace/log'
import type { ConnectorEvent } from './connector-event.ts'

/**
 * A source brings records into the log, each batch with the positions from which reading goes on after it. The runner writes records,
 * positions and state in one log transaction and hands the last committed ones back at the next start, so a source needs no memory of its
 * own: whatever happens to the process, every record is on the log exactly once.
 *
 * @typeParam Position plain data (JSON): a file offset, an LSN, a cursor. It must say all that is needed to go on.
 */
export interface Source<Position> {
  /** Stable name: positions are kept under it. Two running sources of one name fence each other. */
  readonly name: string
  /**
   * Opens the reading from the committed positions, by split; there are none at the first start ever.
   * @throws TransientSourceError to be tried again with backoff; anything else stops the source and is reported.
   */
  open(positions: Positions<Position>, context: SourceContext): Promise<SourceReader<Position>>
}

/**
 * Positions by split: the parts of a source that are read each at their own pace (a file, a table's snapshot, a replication stream). A source
 * that has but one calls it ''.
 */
export type Positions<Position> = ReadonlyMap<string, Position>

/** An open reading. The runner calls `read` again only after it has answered; `committed` may be called while a `read` is waiting. */
export interface SourceReader<Position> {
  /**
   * The next records, as soon as there are any; `undefined` when the source has ended for good. Returns before long, with an empty batch if
   * need be, when `context.signal` is aborted.
   */
  read(): Promise<SourceBatch<Position> | undefined>
  /**
   * The log holds everything up to these positions (the newest of each split that changed since the last call); the outer system may forget it:
   * acknowledge, delete, advance a slot. Called after each commit, in order, never for a position that was not committed.
   */
  committed(positions: Positions<Position>): Promise<void>
  /** How far the outer system is ahead of what was read, in its own unit (bytes, rows); undefined when it cannot say. Cheap: called often. */
  lag?(): number | undefined
  /** Releases what `open` took. Called once, also after an error, never while a `read` is waiting. */
  close(): Promise<void>
}

/** Records that belong together, and where reading goes on after them. They are committed together; a transaction may hold several batches. */
export interface SourceBatch<Position> {
  readonly records: readonly SourceRecord[]
  /** Splits whose position changed; null forgets a split. A batch may be nothing but a position. */
  readonly positions: ReadonlyMap<string, Position | null>
}

/** A record for the log. */
export interface SourceRecord {
  readonly topic: string
  /**
   * Undefined: by the key's bytes, as Kafka's default partitioner does. `all`: a copy to every partition, in order with the records around it, for
   * what concerns all keys (a truncated table).
   */
  readonly partition?: number | 'all'
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Event time, milliseconds since the epoch; the time of writing when absent. */
  readonly timestamp?: number
  readonly headers?: readonly Header[]
}

/** What the runner gives a source. */
export interface SourceContext {
  /** Aborted when the source is to stop. */
  readonly signal: AbortSignal
  /** The clock, timers and files to use. */
  readonly environment: Environment
  /** Rows that the source must remember beyond its positions. */
  readonly state: SourceState
  /** Tells an operator something: a warning of a preflight, a finished snapshot. It is shown in the connector's status and events. */
  report(event: ConnectorEvent): void
}

/**
 * A keyed store whose changes are committed in the transaction of the batch that the reader returns next, and are taken back with it when
 * the transaction is aborted. Kept in a compacted topic, so that it survives the loss of everything local.
 */
export interface SourceState {
  /** With the changes made so far, committed or not; undefined when there is none. */
  get(key: Buffer): Buffer | undefined
  /** Null removes. */
  set(key: Buffer, value: Buffer | null): void
  /** Entries whose key begins with the prefix, in key order; in pages, since an engine on disk may have to read them. Changes made meanwhile may show. */
  scan(prefix: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]>
}
