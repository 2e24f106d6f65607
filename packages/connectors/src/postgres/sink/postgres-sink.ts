import { UsageError } from '@millrace/log'
import type { Row } from '../../rows/row-change.ts'
import type { SinkOffset, SinkPartition, SinkRecord, TransactionalSink } from '../../sink.ts'
import { ClaimedOffsets, type OffsetAdvance } from '../../sql/claimed-offsets.ts'
import { quoteTable } from '../../sql/identifier.ts'
import { prepareWrite } from '../../sql/prepare-write.ts'
import { DEFAULT_OFFSETS_TABLE, type SqlSinkOptions } from '../../sql/sql-sink-options.ts'
import type { TargetTable } from '../../sql/target-table.ts'
import { planWrites, type WriteRows, type WriteStep } from '../../sql/write-plan.ts'
import type { PostgresConnection, PostgresDriver } from '../driver.ts'
import { readTable } from './catalog.ts'
import { OffsetsTable } from './offsets-table.ts'
import { PostgresSession } from './session.ts'
import { asSinkError } from './sink-errors.ts'
import { deleteRowStatement, deleteStatement, type TypeOf, writeStatement } from './statements.ts'
import { encodeRows, encoderFor, POSTGRES_TYPES } from './values.ts'

/** A PostgreSQL database as a target. */
export interface PostgresSinkOptions extends SqlSinkOptions {
  /** The npm module `pg`. */
  readonly driver: PostgresDriver
  readonly connection: PostgresConnection
}

/**
 * Writes records as rows of a PostgreSQL database, exactly once: the offsets are committed with the rows, under an epoch that fences an older
 * runner. A batch is one transaction of a few statements, whatever its size.
 */
export function postgresSink(options: PostgresSinkOptions): TransactionalSink {
  let run: PostgresSinkRun | undefined
  const opened = () => {
    if (run !== undefined) return run
    throw new UsageError(`sink ${options.name} is not open`)
  }
  return {
    name: options.name,
    delivery: 'transactional',
    open(partitions) {
      run = new PostgresSinkRun(options)
      return run.claim(partitions)
    },
    write: (batch, offsets) => opened().write(batch, offsets),
    prepare: (batch) => run?.prepare(batch),
    moveOffsets: (offsets) => opened().write([], offsets),
    async close() {
      await run?.close()
      run = undefined
    }
  }
}

/** One opening of the sink: a connection, what it claimed, and the tables it knows. */
class PostgresSinkRun {
  readonly #options: PostgresSinkOptions
  readonly #session: PostgresSession
  readonly #offsets: OffsetsTable
  readonly #tables = new Map<string, TargetTable | undefined>()
  #claimed: ClaimedOffsets
  #prepared: { readonly batch: readonly SinkRecord[]; readonly steps: readonly WriteStep[] } | undefined
  /** Rows as the statement takes them, for the table and columns that they were encoded for. */
  readonly #encoded = new WeakMap<readonly Row[], EncodedRows>()

  constructor(options: PostgresSinkOptions) {
    this.#options = options
    this.#session = new PostgresSession(options.driver, options.connection, () => this.#tables.clear())
    this.#offsets = new OffsetsTable(this.#session, options.offsetsTable ?? DEFAULT_OFFSETS_TABLE, options.name)
    this.#claimed = new ClaimedOffsets(options.name, [])
  }

  async claim(partitions: readonly SinkPartition[]): Promise<readonly SinkOffset[]> {
    const rows = await this.#guard('its offsets cannot be claimed', () => this.#offsets.claim(partitions))
    this.#claimed = new ClaimedOffsets(this.#options.name, rows)
    return this.#claimed.positions()
  }

  async write(batch: readonly SinkRecord[], offsets: readonly SinkOffset[]): Promise<void> {
    const steps = this.#planOf(batch)
    const advances = this.#claimed.advances(offsets)
    await this.#guard('a batch cannot be written', () =>
      this.#session.transaction(async () => {
        if (await this.#advance(advances)) for (const step of steps) await this.#apply(step)
      })
    )
    this.#claimed.advanced(advances)
  }

  /** Plans the batch and encodes its rows, as far as the tables are known, while the server is busy with the one before. */
  prepare(batch: readonly SinkRecord[]): void {
    try {
      const steps = planWrites(batch, this.#options, (partition) => this.#claimed.hasSiblings(partition))
      this.#prepared = { batch, steps }
      for (const step of steps) {
        const target = this.#tables.get(step.table)
        if (step.kind === 'write' && target !== undefined) this.#encodedRows(target, step.columns, step.rows)
      }
    } catch {
      // It fails again when it is written, where somebody listens.
      this.#prepared = undefined
    }
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  #planOf(batch: readonly SinkRecord[]): readonly WriteStep[] {
    const prepared = this.#prepared
    this.#prepared = undefined
    const same = prepared?.batch.length === batch.length && batch.every((record, i) => record === prepared.batch[i])
    return prepared !== undefined && same
      ? prepared.steps
      : planWrites(batch, this.#options, (partition) => this.#claimed.hasSiblings(partition))
  }

  /** False when the batch was committed before. */
  async #advance(advances: readonly OffsetAdvance[]): Promise<boolean> {
    const made = await this.#offsets.advance(advances)
    return made === advances.length || !this.#claimed.alreadyMade(advances, await this.#offsets.read())
  }

  async #apply(step: WriteStep): Promise<void> {
    const { table } = step
    if (step.kind === 'write') return this.#writeRows(step)
    const target = await this.#table(table)
    if (target === undefined) return
    if (step.kind === 'truncate') await this.#session.query(`TRUNCATE ${quoteTable(table)}`)
    else if (step.kind === 'delete') await this.#run(target, step.columns, step.rows, deleteStatement)
    else await this.#run(target, step.columns, [step.row], deleteRowStatement)
  }

  async #writeRows(step: WriteRows): Promise<void> {
    const known = await this.#table(step.table)
    const { statements, write } = prepareWrite(step, known, this.#options, POSTGRES_TYPES)
    for (const statement of statements) await this.#session.query(statement)
    if (statements.length > 0) this.#tables.delete(step.table)
    const target = await this.#table(step.table)
    const mode = this.#options.mode ?? 'upsert'
    await this.#run(target, write.columns, write.rows, (_table, _columns, typeOf) =>
      writeStatement(write, mode, typeOf)
    )
  }

  async #run(
    target: TargetTable | undefined,
    columns: readonly string[],
    rows: readonly Row[],
    statement: (table: string, columns: readonly string[], typeOf: TypeOf) => string
  ): Promise<void> {
    const sql = statement(target?.table ?? '', columns, (column) => typeOf(target, column))
    await this.#session.query(sql, [this.#encodedRows(target, columns, rows)])
  }

  #encodedRows(target: TargetTable | undefined, columns: readonly string[], rows: readonly Row[]): string {
    const known = this.#encoded.get(rows)
    if (known !== undefined && known.target === target && known.columns === columns) return known.text
    const encoders = columns.map((column) => encoderFor(typeOf(target, column), this.#options.rows.text))
    const text = encodeRows(rows, columns, encoders)
    this.#encoded.set(rows, { target, columns, text })
    return text
  }

  async #table(table: string): Promise<TargetTable | undefined> {
    if (!this.#tables.has(table)) this.#tables.set(table, await readTable(this.#session, table))
    return this.#tables.get(table)
  }

  async #guard<T>(what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw asSinkError(error, `sink ${this.#options.name}: ${what}`)
    }
  }
}

interface EncodedRows {
  readonly target: TargetTable | undefined
  readonly columns: readonly string[]
  readonly text: string
}

function typeOf(target: TargetTable | undefined, column: string): string {
  return target?.columns.get(column)?.type ?? 'text'
}
