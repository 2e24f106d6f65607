import type { Header } from '@millrace/log'

/**
 * A source brings records into the log, each with the position from which reading goes on after it. The runner writes records and
 * position in one log transaction and hands the last committed position back at the next start, so a source needs no memory of
 * its own: whatever happens to the process, every record is on the log exactly once.
 *
 * @typeParam Position plain data (JSON): a file offset, an LSN, a cursor. It must say all that is needed to go on.
 */
export interface Source<Position> {
  /** Stable name: positions are kept under it. Two running sources of one name fence each other. */
  readonly name: string
  /**
   * Opens the reading from a committed position; `undefined` is the first start ever.
   * @throws TransientSourceError to be tried again with backoff; anything else stops the source and is reported.
   */
  open(position: Position | undefined, context: SourceContext): Promise<SourceReader<Position>>
}

/** An open reading. The runner calls one method at a time and waits for it. */
export interface SourceReader<Position> {
  /**
   * The next records, as soon as there are any; `undefined` when the source has ended for good. Should return before long when
   * `context.signal` is aborted.
   */
  read(): Promise<SourceBatch<Position> | undefined>
  /**
   * The log holds everything up to this position; the outer system may forget it (acknowledge, delete, advance a slot). Called after each
   * commit, in order, never for a position that was not committed.
   */
  committed(position: Position): Promise<void>
  /** Releases what `open` took. Called once, also after an error. */
  close(): Promise<void>
}

/** Records that belong together, and where reading goes on after them. They are committed together. */
export interface SourceBatch<Position> {
  readonly records: readonly SourceRecord[]
  readonly position: Position
}

/** A record for the log. */
export interface SourceRecord {
  readonly topic: string
  /** Undefined: by the key's bytes, as Kafka's default partitioner does. */
  readonly partition?: number
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
}
