import { type Timers, UsageError } from '@millrace/log'
import type { OpenedPartition, SinkOffset, SinkRecord, TransactionalSink } from '../sink.ts'
import { ClaimedOffsets, type OffsetAdvance } from '../sql/claimed-offsets.ts'
import { quoteTable } from '../sql/identifier.ts'
import { prepareWrite } from '../sql/prepare-write.ts'
import { PreparedBatches } from '../sql/prepared-batches.ts'
import { DEFAULT_OFFSETS_TABLE, type SqlSinkOptions } from '../sql/sql-sink-options.ts'
import type { TargetTable } from '../sql/target-table.ts'
import type { WriteRows, WriteStep } from '../sql/write-plan.ts'
import { encodeRows, encodeWrite } from './encode-write.ts'
import { sinkErrorOf } from './errors.ts'
import type { Job, WriteJob } from './jobs.ts'
import { advanceJob, claimJobs, type OffsetsPlace, offsetRow, offsetsJob, offsetsTableJobs } from './offsets.ts'
import { deleteRowStatement, deleteStatement } from './statements.ts'
import { DatabaseThread } from './thread.ts'
import { SQLITE_TYPES } from './values.ts'

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
 * older runner. The database has a thread of its own.
 */
export function sqliteSink(options: SqliteSinkOptions): TransactionalSink {
  let run: SqliteSinkRun | undefined
  const opened = () => {
    if (run !== undefined) return run
    throw new UsageError(`sink ${options.name} is not open`)
  }
  return {
    name: options.name,
    delivery: 'transactional',
    async open(partitions, context) {
      if (process.getBuiltinModule('node:sqlite') === undefined) {
        throw new UsageError('this Node has no node:sqlite, which the SQLite sink needs: use Node 24 or newer')
      }
      run = new SqliteSinkRun(options, context.environment.timers)
      return run.open(partitions)
    },
    write: async (batch, offsets) => opened().write(batch, offsets),
    prepare: (batch) => run?.prepare(batch),
    moveOffsets: async (offsets) => opened().write([], offsets),
    async close() {
      const open = run
      run = undefined
      await open?.close()
    }
  }
}

const BEGIN: Job = { kind: 'execute', sql: 'BEGIN IMMEDIATE' }
const COMMIT: Job = { kind: 'execute', sql: 'COMMIT' }

/** One opening of the sink: a database in its thread, what was claimed of it, and the tables that are known. */
class SqliteSinkRun {
  readonly #options: SqliteSinkOptions
  readonly #place: OffsetsPlace
  readonly #thread = DatabaseThread.take()
  readonly #tables = new Map<string, TargetTable | undefined>()
  readonly #batches: PreparedBatches<TargetTable, readonly WriteJob[]>
  #claimed: ClaimedOffsets

  constructor(options: SqliteSinkOptions, timers: Timers) {
    this.#options = options
    this.#place = { table: options.offsetsTable ?? DEFAULT_OFFSETS_TABLE, sink: options.name }
    this.#claimed = new ClaimedOffsets(options.name, [])
    this.#batches = new PreparedBatches({
      options,
      timers,
      hasSiblings: (partition) => this.#claimed.hasSiblings(partition),
      knownTable: (table) => this.#tables.get(table),
      encode: (write, target) => encodeWrite(write, target, options)
    })
  }

  async open(partitions: readonly OpenedPartition[]): Promise<readonly SinkOffset[]> {
    const { file, synchronous, busyTimeoutMs } = this.#options
    await this.#do('it cannot be opened', [{ kind: 'open', options: { file, synchronous, busyTimeoutMs } }])
    const what = 'its offsets cannot be claimed'
    const made = await this.#do(what, [BEGIN, ...offsetsTableJobs(this.#place)])
    const claimed = await this.#do(what, [...claimJobs(this.#place, partitions, made?.tables[0]), COMMIT])
    this.#claimed = new ClaimedOffsets(this.#options.name, claimed?.rows.map(offsetRow) ?? [], partitions)
    return this.#claimed.positions()
  }

  async write(batch: readonly SinkRecord[], offsets: readonly SinkOffset[]): Promise<void> {
    const steps = this.#batches.stepsOf(batch)
    const advances = this.#claimed.advances(offsets)
    if (!(await this.#commit(steps, advances))) {
      const found = await this.#do('its offsets cannot be read', [{ kind: 'roll-back' }, offsetsJob(this.#place)])
      this.#claimed.alreadyMade(advances, found?.rows.map(offsetRow) ?? [])
    }
    this.#claimed.advanced(advances)
  }

  prepare(batch: readonly SinkRecord[]): void {
    this.#batches.announce(batch)
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  /** As a rule one message to the thread. False when an offset is not where this runner left it. */
  async #commit(steps: readonly WriteStep[], advances: readonly OffsetAdvance[]): Promise<boolean> {
    let jobs = [BEGIN, ...advances.map((advance): Job => advanceJob(this.#place, advance))]
    try {
      for (const step of steps) {
        const target = await this.#table(step.table)
        if (step.kind !== 'write') {
          if (target !== undefined) jobs.push(this.#removal(step, target))
          continue
        }
        const { statements, write } = prepareWrite(step, target, this.#options, SQLITE_TYPES)
        if (statements.length > 0) {
          for (const sql of statements) jobs.push({ kind: 'execute', sql })
          if ((await this.#do('a table cannot be changed', jobs)) === undefined) return false
          this.#tables.delete(step.table)
          jobs = []
        }
        jobs.push(...this.#batches.encoded(write, await this.#table(step.table)))
      }
      const done = this.#do('a batch cannot be written', [...jobs, COMMIT])
      this.#batches.targetIsBusy()
      return (await done) !== undefined
    } catch (error) {
      // What was learnt of the tables may be no more.
      this.#tables.clear()
      await this.#thread.run([{ kind: 'roll-back' }]).catch(() => undefined)
      throw error
    }
  }

  #removal(step: Exclude<WriteStep, WriteRows>, target: TargetTable): Job {
    const { table } = step
    const context = { target, forms: this.#options.rows.text }
    if (step.kind === 'truncate') return { kind: 'execute', sql: `DELETE FROM ${quoteTable(table)}` }
    if (step.kind === 'delete') return encodeRows(deleteStatement(table, step.columns), step.rows, context)
    return encodeRows(deleteRowStatement(table, step.columns), [step.row], context)
  }

  async #table(table: string): Promise<TargetTable | undefined> {
    if (this.#tables.has(table)) return this.#tables.get(table)
    const found = await this.#do(`table ${table} cannot be looked up`, [{ kind: 'table', table }])
    this.#tables.set(table, found?.tables[0])
    return found?.tables[0]
  }

  /** Undefined when an offset could not be moved. @throws TransientSinkError, TargetRefusedError */
  async #do(what: string, jobs: readonly Job[]) {
    const answer = await this.#thread.run(jobs)
    if (answer.kind === 'done') return answer
    if (answer.kind === 'unchanged') return undefined
    const { name, file } = this.#options
    throw sinkErrorOf(answer, `sink ${name}, database ${file}: ${what}`)
  }
}
