import type { Timers } from '@millrace/log'
import type { Row } from '../../rows/row-change.ts'
import type { SinkPartition, SinkRecord } from '../../sink.ts'
import type { SqlSinkOptions, WriteMode } from '../../sql/sql-sink-options.ts'
import { planWrites, type WriteRows, type WriteStep } from '../../sql/write-plan.ts'
import type { PostgresTable } from './catalog.ts'
import { encodeLists } from './lists.ts'
import { writeListsStatement, writeStatement } from './statements.ts'
import { encodeRows, encoderFor } from './values.ts'

/** What batches are prepared with. */
export interface PreparedBatchesParts {
  readonly options: SqlSinkOptions
  readonly timers: Timers
  readonly hasSiblings: (partition: SinkPartition) => boolean
  /** The table as it is known to be, if it is. */
  readonly knownTable: (table: string) => PostgresTable | undefined
}

/** A statement that writes rows, and its parameters. */
export interface EncodedWrite {
  readonly sql: string
  readonly values: string[]
}

/** Rows encoded for a table and columns as they were then. */
interface KnownWrite extends EncodedWrite {
  readonly target: PostgresTable | undefined
  readonly columns: readonly string[]
}

/** Plans batches and encodes their rows: the next one's while the server is busy with the one before. */
export class PreparedBatches {
  readonly #parts: PreparedBatchesParts
  readonly #writes = new WeakMap<readonly Row[], KnownWrite>()
  #upcoming: readonly SinkRecord[] | undefined
  #prepared: { readonly batch: readonly SinkRecord[]; readonly steps: readonly WriteStep[] } | undefined

  constructor(parts: PreparedBatchesParts) {
    this.#parts = parts
  }

  /** This batch will probably come next. */
  announce(batch: readonly SinkRecord[]): void {
    this.#upcoming = batch
  }

  /** The server has something to do, as soon as what was written to its connection has left: time for the next batch. */
  serverIsBusy(): void {
    if (this.#upcoming !== undefined) this.#parts.timers.soon(() => this.#prepare())
  }

  /** The plan of a batch, made now unless it is prepared. @throws what `planWrites` throws. */
  stepsOf(batch: readonly SinkRecord[]): readonly WriteStep[] {
    const prepared = this.#prepared
    this.#prepared = undefined
    this.#upcoming = undefined
    const same = prepared?.batch.length === batch.length && batch.every((record, i) => record === prepared.batch[i])
    return prepared !== undefined && same ? prepared.steps : this.#plan(batch)
  }

  /** The statement that writes the rows to a table of that shape. */
  encoded(write: WriteRows, target: PostgresTable | undefined): EncodedWrite {
    const known = this.#writes.get(write.rows)
    if (known !== undefined && known.target === target && known.columns === write.columns) return known
    const { options } = this.#parts
    const encoded = encodeWrite(write, target, { mode: options.mode ?? 'upsert', rows: options.rows })
    this.#writes.set(write.rows, { ...encoded, target, columns: write.columns })
    return encoded
  }

  #prepare(): void {
    const batch = this.#upcoming
    this.#upcoming = undefined
    if (batch === undefined) return
    try {
      const steps = this.#plan(batch)
      this.#prepared = { batch, steps }
      for (const step of steps) {
        const target = this.#parts.knownTable(step.table)
        if (step.kind === 'write' && target !== undefined) this.encoded(step, target)
      }
    } catch {
      // It fails again when it is written, where somebody listens.
    }
  }

  #plan(batch: readonly SinkRecord[]): readonly WriteStep[] {
    return planWrites(batch, this.#parts.options, this.#parts.hasSiblings)
  }
}

/** The type of a column, as `format_type` writes it; of one that is not known, text. */
export function typeIn(target: PostgresTable | undefined, column: string): string {
  return target?.columns.get(column)?.type ?? 'text'
}

function encodeWrite(
  write: WriteRows,
  target: PostgresTable | undefined,
  { mode, rows: { text } }: { readonly mode: WriteMode; readonly rows: SqlSinkOptions['rows'] }
): EncodedWrite {
  const { columns, rows } = write
  const encoders = columns.map((column) => encoderFor(typeIn(target, column), text))
  const listTypes = columns.flatMap((column) => target?.columns.get(column)?.listType ?? [])
  const lists =
    mode !== 'update' && listTypes.length === columns.length ? encodeLists(rows, columns, encoders) : undefined
  if (lists !== undefined) return { sql: writeListsStatement(write, mode, listTypes), values: lists }
  const sql = writeStatement(write, mode, (column) => typeIn(target, column))
  return { sql, values: [encodeRows(rows, columns, encoders)] }
}
