import { type Timers, UsageError } from '@millrace/log'
import type { Row } from '../../rows/row-change.ts'
import type { OpenedPartition, SinkOffset, SinkRecord, TransactionalSink } from '../../sink.ts'
import { ClaimedOffsets, type OffsetAdvance } from '../../sql/claimed-offsets.ts'
import { quoteTable } from '../../sql/identifier.ts'
import { prepareWrite } from '../../sql/prepare-write.ts'
import { PreparedBatches } from '../../sql/prepared-batches.ts'
import { DEFAULT_OFFSETS_TABLE, type SqlSinkOptions } from '../../sql/sql-sink-options.ts'
import type { WriteRows, WriteStep } from '../../sql/write-plan.ts'
import type { PostgresConnection, PostgresDriver } from '../driver.ts'
import { type PostgresTable, readTable } from './catalog.ts'
import { type EncodedWrite, encodeWrite, typeIn } from './encode-write.ts'
import { OffsetsTable } from './offsets-table.ts'
import { PostgresSession } from './session.ts'
import { asSinkError } from './sink-errors.ts'
import { deleteRowStatement, deleteStatement, type TypeOf } from './statements.ts'
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
    open(partitions, context) {
      run = new PostgresSinkRun(options, context.environment.timers)
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
  readonly #tables = new Map<string, PostgresTable | undefined>()
  readonly #batches: PreparedBatches<PostgresTable, EncodedWrite>
  #claimed: ClaimedOffsets

  constructor(options: PostgresSinkOptions, timers: Timers) {
    this.#options = options
    this.#session = new PostgresSession(options.driver, options.connection, () => this.#tables.clear())
    this.#offsets = new OffsetsTable(this.#session, options.offsetsTable ?? DEFAULT_OFFSETS_TABLE, options.name)
    this.#claimed = new ClaimedOffsets(options.name, [])
    this.#batches = new PreparedBatches({
      options,
      timers,
      hasSiblings: (partition) => this.#claimed.hasSiblings(partition),
      knownTable: (table) => this.#tables.get(table),
      encode: (write, target) => encodeWrite(write, target, options)
    })
  }

  async claim(partitions: readonly OpenedPartition[]): Promise<readonly SinkOffset[]> {
    const rows = await this.#guard('its offsets cannot be claimed', () => this.#offsets.claim(partitions))
    this.#claimed = new ClaimedOffsets(this.#options.name, rows, partitions)
    return this.#claimed.positions()
  }

  async write(batch: readonly SinkRecord[], offsets: readonly SinkOffset[]): Promise<void> {
    const steps = this.#batches.stepsOf(batch)
    const advances = this.#claimed.advances(offsets)
    await this.#guard('a batch cannot be written', () =>
      this.#session.transaction(async () => {
        if (await this.#advance(advances)) for (const step of steps) await this.#apply(step)
      })
    )
    this.#claimed.advanced(advances)
  }

  prepare(batch: readonly SinkRecord[]): void {
    this.#batches.announce(batch)
  }

  close(): Promise<void> {
    return this.#session.close()
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
    else if (step.kind === 'delete') await this.#remove(target, step.columns, step.rows, deleteStatement)
    else await this.#remove(target, step.columns, [step.row], deleteRowStatement)
  }

  async #writeRows(step: WriteRows): Promise<void> {
    const known = await this.#table(step.table)
    const { statements, write } = prepareWrite(step, known, this.#options, POSTGRES_TYPES)
    for (const statement of statements) await this.#session.query(statement)
    if (statements.length > 0) this.#tables.delete(step.table)
    const { sql, values } = this.#batches.encoded(write, await this.#table(step.table))
    const written = this.#session.query(sql, values)
    this.#batches.targetIsBusy()
    await written
  }

  async #remove(
    target: PostgresTable,
    columns: readonly string[],
    rows: readonly Row[],
    statement: (table: string, columns: readonly string[], typeOf: TypeOf) => string
  ): Promise<void> {
    const encoders = columns.map((column) =>
      encoderFor(typeIn(target, column), this.#options.rows.text, target.madeTypes)
    )
    const sql = statement(target.table, columns, (column) => typeIn(target, column))
    await this.#session.query(sql, [encodeRows(rows, columns, encoders)])
  }

  async #table(table: string): Promise<PostgresTable | undefined> {
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
