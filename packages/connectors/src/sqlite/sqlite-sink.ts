import { UsageError } from '@millrace/log'
import type { Row } from '../rows/row-change.ts'
import type { SinkOffset, SinkPartition, SinkRecord, TransactionalSink } from '../sink.ts'
import { ClaimedOffsets, createOffsetsTable, type OffsetAdvance, type OffsetRow } from '../sql/claimed-offsets.ts'
import { quoteTable } from '../sql/identifier.ts'
import { prepareWrite } from '../sql/prepare-write.ts'
import { DEFAULT_OFFSETS_TABLE, type SqlSinkOptions } from '../sql/sql-sink-options.ts'
import { planWrites, type WriteRows, type WriteStep } from '../sql/write-plan.ts'
import { type Affinity, affinityOf } from './catalog.ts'
import { SqliteDatabase } from './database.ts'
import { asSinkError } from './errors.ts'
import { deleteRowStatement, deleteStatement, type RowStatement, rowsTogether, writeStatement } from './statements.ts'
import { encodeValue, SQLITE_TYPES, type SqliteValue } from './values.ts'

/** A SQLite database as a target. */
export interface SqliteSinkOptions extends SqlSinkOptions {
  /** Path of the database; made when missing. */
  readonly file: string
  /**
   * `full` (default): a committed batch is on the disk. `normal`: a power cut may take the last batches back, together with their offsets, so
   * that they are written again; faster.
   */
  readonly synchronous?: 'full' | 'normal'
  /** How long to wait for another writer of the database, milliseconds; default 5000. */
  readonly busyTimeoutMs?: number
}

/**
 * Writes records as rows of a SQLite database (node:sqlite), exactly once: the offsets are committed with the rows, under an epoch that fences an
 * older runner.
 */
export function sqliteSink(options: SqliteSinkOptions): TransactionalSink {
  let run: SqliteSinkRun | undefined
  return {
    name: options.name,
    delivery: 'transactional',
    async open(partitions) {
      run = new SqliteSinkRun(options)
      return run.claim(partitions)
    },
    async write(batch, offsets) {
      if (run === undefined) throw new UsageError(`sink ${options.name} is not open`)
      run.write(batch, offsets)
    },
    async moveOffsets(offsets) {
      if (run === undefined) throw new UsageError(`sink ${options.name} is not open`)
      run.move(offsets)
    },
    async close() {
      run?.close()
      run = undefined
    }
  }
}

/** One opening of the sink: a connection, and what it claimed. */
class SqliteSinkRun {
  readonly #options: SqliteSinkOptions
  readonly #offsetsTable: string
  readonly #database: SqliteDatabase
  #claimed: ClaimedOffsets

  constructor(options: SqliteSinkOptions) {
    this.#options = options
    this.#offsetsTable = options.offsetsTable ?? DEFAULT_OFFSETS_TABLE
    this.#claimed = new ClaimedOffsets(options.name, [])
    this.#database = this.#guard('it cannot be opened', () => new SqliteDatabase(options))
  }

  claim(partitions: readonly SinkPartition[]): readonly SinkOffset[] {
    const rows = this.#guard('its offsets cannot be claimed', () =>
      this.#database.transaction(() => {
        this.#database.exec(createOffsetsTable(this.#offsetsTable))
        return partitions.map((partition) => this.#claimPartition(partition))
      })
    )
    this.#claimed = new ClaimedOffsets(this.#options.name, rows)
    return this.#claimed.positions()
  }

  write(batch: readonly SinkRecord[], offsets: readonly SinkOffset[]): void {
    const steps = planWrites(batch, this.#options, (partition) => this.#claimed.hasSiblings(partition))
    const advances = this.#claimed.advances(offsets)
    this.#guard('a batch cannot be written', () =>
      this.#database.transaction(() => {
        if (this.#advance(advances)) for (const step of steps) this.#apply(step)
      })
    )
    this.#claimed.advanced(advances)
  }

  /** The same step as a batch's, of which there is nothing to write. */
  move(offsets: readonly SinkOffset[]): void {
    this.write([], offsets)
  }

  close(): void {
    this.#database.close()
  }

  #claimPartition({ topic, partition }: SinkPartition): OffsetRow {
    const table = quoteTable(this.#offsetsTable)
    const row = this.#database
      .prepare(
        `INSERT INTO ${table} VALUES (?, ?, ?, NULL, 1)
       ON CONFLICT DO UPDATE SET "epoch" = ${table}."epoch" + 1 RETURNING "next_offset", "epoch"`
      )
      .get(this.#options.name, topic, partition)
    return { topic, partition, ...offsetOf(row ?? {}) }
  }

  /** False when the batch was committed before. */
  #advance(advances: readonly OffsetAdvance[]): boolean {
    const statement = this.#database.prepare(
      `UPDATE ${quoteTable(this.#offsetsTable)} SET "next_offset" = ?
       WHERE "sink" = ? AND "topic" = ? AND "partition" = ? AND "epoch" = ? AND "next_offset" IS ?`
    )
    const { name } = this.#options
    const refused = advances.some(({ topic, partition, epoch, from, to }) => {
      return statement.run(to, name, topic, partition, epoch, from).changes === 0n
    })
    const found = () => advances.map((advance) => this.#found(advance))
    return !refused || !this.#claimed.alreadyMade(advances, found())
  }

  #found({ topic, partition }: SinkPartition): OffsetRow {
    const sql = `SELECT "next_offset", "epoch" FROM ${quoteTable(this.#offsetsTable)} WHERE "sink" = ? AND "topic" = ? AND "partition" = ?`
    return {
      topic,
      partition,
      ...offsetOf(this.#database.prepare(sql).get(this.#options.name, topic, partition) ?? {})
    }
  }

  #apply(step: WriteStep): void {
    if (step.kind === 'write') this.#writeRows(step)
    else if (this.#database.table(step.table) !== undefined) this.#removeRows(step)
  }

  #removeRows(step: Exclude<WriteStep, WriteRows>): void {
    const { table } = step
    if (step.kind === 'truncate') this.#database.exec(`DELETE FROM ${quoteTable(table)}`)
    else if (step.kind === 'delete') this.#runForRows(table, deleteStatement(table, step.columns), step.rows)
    else this.#runForRows(table, deleteRowStatement(table, step.columns), [step.row])
  }

  #writeRows(step: WriteRows): void {
    const target = this.#database.table(step.table)
    const { statements, write } = prepareWrite(step, target, this.#options, SQLITE_TYPES)
    for (const statement of statements) this.#database.exec(statement)
    if (statements.length > 0) this.#database.forget()
    const mode = this.#options.mode ?? 'upsert'
    const { rows } = write
    const together = rowsTogether(write, mode)
    const alone = rows.length % together
    const many = rows.length - alone
    if (many > 0) this.#runForRows(step.table, writeStatement(write, mode, together), rows.slice(0, many))
    if (alone > 0) this.#runForRows(step.table, writeStatement(write, mode), rows.slice(many))
  }

  #runForRows(table: string, { sql, columns, together }: RowStatement, rows: readonly Row[]): void {
    const statement = this.#database.prepare(sql)
    const forms = this.#options.rows.text
    const target = this.#database.table(table)
    const affinities = columns.map((name): Affinity => affinityOf(target?.columns.get(name)?.type ?? ''))
    const values: SqliteValue[] = new Array(columns.length * together).fill(null)
    let at = 0
    for (const row of rows) {
      for (let column = 0; column < columns.length; column++) {
        values[at++] = encodeValue(row[columns[column]], affinities[column], forms)
      }
      if (at < values.length) continue
      statement.run(...values)
      at = 0
    }
  }

  #guard<T>(what: string, run: () => T): T {
    try {
      return run()
    } catch (error) {
      throw asSinkError(error, `sink ${this.#options.name}, database ${this.#options.file}: ${what}`)
    }
  }
}

function offsetOf(row: Record<string, unknown>): { readonly nextOffset: number | null; readonly epoch: number } {
  return { nextOffset: row.next_offset == null ? null : Number(row.next_offset), epoch: Number(row.epoch ?? 0) }
}
