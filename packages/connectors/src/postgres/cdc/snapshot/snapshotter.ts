import type { Environment } from '@millrace/log'
import type { ConnectorEvent } from '../../../connector-event.ts'
import { sqlStateOf } from '../../sql-state.ts'
import { type CdcClient, endConnection } from '../connection.ts'
import { toSourceError } from '../errors.ts'
import type { SnapshotPosition } from '../position.ts'
import { TableEncoder } from '../tables/table-encoder.ts'
import { type CatalogTable, qualifiedName, readTables } from '../tables/table-shape.ts'
import type { TypeCatalog } from '../types/type-catalog.ts'
import { keyedChunk, watermarkStatement } from './chunk-query.ts'
import { type CopiedRows, copyRows, lastRow, splitCopiedRow } from './copy-rows.ts'
import { leavesOf, nextPages, pagesAfter } from './page-scan.ts'
import type { RecentChanges } from './recent-changes.ts'
import { type Chunk, SnapshotTask } from './snapshot-task.ts'
import { parseVisibility, type Visibility } from './visibility.ts'

/** Chunks that were read and wait for the stream. */
const CHUNKS_AHEAD = 2
const RETRY_MS = 50
const LOOK_MS = 1000
const UNDEFINED_TABLE = '42P01'

/** What a snapshotter works with. */
export interface SnapshotterParts {
  /** A connection of its own. */
  readonly client: CdcClient
  readonly publication: string
  readonly serverVersion: number
  readonly types: TypeCatalog
  readonly recent: RecentChanges
  readonly environment: Environment
  readonly limits: { readonly rows: number; readonly bytes: number }
  /** Tells this reading's marks in the stream from those of others. */
  readonly session: string
  readonly report: (event: ConnectorEvent) => void
  /** Something happened that the reader should look at. */
  readonly wake: () => void
}

/**
 * Reads tables in chunks while the stream runs. A chunk is delivered when the stream has passed the mark that was set behind it, without the rows
 * that the stream has changed meanwhile.
 */
export class Snapshotter {
  readonly #parts: SnapshotterParts
  readonly #tasks: SnapshotTask[] = []
  readonly #waiting: Chunk[] = []
  readonly #ended: SnapshotTask[] = []
  #tables: Map<string, CatalogTable> | undefined
  #wakeup: PromiseWithResolvers<void> = Promise.withResolvers()
  #running: Promise<void> | undefined
  #state: 'open' | 'paused' | 'closed' = 'open'
  #failure: unknown
  #number = 0

  /** What the last reading saw: later ones see that too. */
  #seen: Visibility | undefined

  constructor(parts: SnapshotterParts) {
    this.#parts = parts
    parts.recent.trimBy(() => this.#waiting[0]?.visibility ?? this.#seen)
  }

  /** Tables that are read or wait for it. */
  get unfinished(): readonly SnapshotTask[] {
    return this.#tasks.filter((task) => !task.isDone)
  }

  /** Whether a table's first snapshot is not finished. */
  isBeingRead(table: string): boolean {
    return this.#tasks.some((task) => task.table === table && !task.isDone && task.position.mode === 'initial')
  }

  /** Where the newest snapshot of a table is. */
  positionOf(table: string): SnapshotPosition | undefined {
    return this.#tasks.findLast((task) => task.table === table)?.position
  }

  /** Adds a table; a running snapshot of it is left as it is. */
  add(table: string, position: SnapshotPosition): void {
    if (position.state === 'done' || this.unfinished.some((task) => task.table === table)) return
    if (!this.#parts.recent.isRecording) this.#parts.recent.record()
    this.#tables = undefined
    this.#tasks.push(new SnapshotTask(table, position))
    this.#running ??= this.#run().catch((error) => {
      this.#failure = error
      this.#parts.wake()
    })
    this.#wakeup.resolve()
  }

  /** Gives up incremental snapshots of these tables, of all when none is named. */
  cancel(tables: readonly string[]): SnapshotTask[] {
    const cancelled = this.unfinished.filter(
      (task) => task.position.mode === 'incremental' && (tables.length === 0 || tables.includes(task.table))
    )
    for (const task of cancelled) {
      task.position = { ...task.position, state: 'done' }
      task.cursor = task.position
    }
    return cancelled
  }

  pause(): void {
    if (this.#state === 'open') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'open'
    this.#wakeup.resolve()
  }

  /** The stream has passed a mark. @returns the chunk behind which it was set. */
  passed(watermark: string): Chunk | undefined {
    const index = this.#waiting.findIndex((chunk) => chunk.watermark === watermark)
    if (index === -1) return undefined
    const [chunk] = this.#waiting.splice(index, 1)
    this.#wakeup.resolve()
    return chunk.task.isDone ? undefined : chunk
  }

  /** @throws what ended the reading. */
  check(): void {
    if (this.#failure !== undefined) throw toSourceError(this.#failure, 'the snapshot failed')
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#wakeup.resolve()
    const { client, environment } = this.#parts
    await endConnection(client, environment.timers)
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#state !== 'closed') {
      const task = this.#tasks.find((one) => !one.isRead)
      const isIdle = task === undefined || this.#state === 'paused' || this.#waiting.length >= CHUNKS_AHEAD
      try {
        if (isIdle) await this.#idle(task !== undefined)
        else await this.#read(task)
      } catch (error) {
        if (this.#isClosed()) return
        const state = sqlStateOf(error) ?? ''
        if (task === undefined || !(state === UNDEFINED_TABLE || isConditionsFault(task, state))) throw error
        await this.#parts.client.query({ text: 'rollback' })
        if (state === UNDEFINED_TABLE) this.#gone(task)
        else this.#refuse(task, error)
      }
    }
  }

  /** Waits; while tables are still to be read, looks now and then what a reading would see, so that less has to be remembered. */
  async #idle(looks: boolean): Promise<void> {
    this.#wakeup = Promise.withResolvers()
    const { timers } = this.#parts.environment
    const timer = looks ? timers.set(LOOK_MS, () => this.#wakeup.resolve(), { background: true }) : undefined
    await this.#wakeup.promise
    timer?.cancel()
    if (!looks || this.#state === 'closed' || this.#waiting.length > 0) return
    const { rows } = await this.#parts.client.query({ text: 'select pg_current_snapshot()::text as seen' })
    this.#forgetSeen(parseVisibility(String(rows[0].seen)))
  }

  /** Forgets what this reading saw, as far as no chunk waits that saw less. */
  #forgetSeen(visibility: Visibility): void {
    this.#seen = visibility
    if (this.#waiting.length > 0) return
    this.#parts.recent.isUsable(visibility)
    this.#parts.recent.prune(visibility)
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  async #read(task: SnapshotTask): Promise<void> {
    const table = await this.#table(task.table)
    if (!table) return this.#gone(task)
    const leaves = table.key.length > 0 ? undefined : await leavesOf(this.#parts.client, table)
    const range = { after: task.cursor.after, rows: Math.min(task.chunkRows, this.#parts.limits.rows) }
    const condition = task.cursor.condition === undefined ? {} : { condition: task.cursor.condition }
    const sql = leaves ? nextPages(table, task.cursor, leaves) : keyedChunk(table, { ...range, ...condition })
    const readAtMs = this.#parts.environment.clock.nowMs()
    const copied = await copyRows(this.#parts.client, sql)
    const [seen, columns, key] = copied.selected[0] ?? []
    if (`${columns}${key}` !== table.fingerprint) {
      this.#tables = undefined
      return
    }
    const visibility = parseVisibility(seen ?? '')
    if (!this.#isUsable(task, visibility)) {
      this.#forgetSeen(visibility)
      return this.#pause(RETRY_MS)
    }
    task.adapt(copied.count, copied.sizeBytes, this.#parts.limits)
    const after = leaves
      ? pagesAfter(task.cursor, leaves, copied.count)
      : keyedAfter(task.cursor, table, { copied, wanted: range.rows })
    const encoder = new TableEncoder(table, this.#parts.types, table.outOfLineBytes)
    task.cursor = after
    this.#seen = visibility
    const watermark = `${this.#parts.session}:${++this.#number}`
    // It waits before its mark is set, since the stream may be quicker than the answer of this connection.
    this.#waiting.push({ watermark, task, encoder, visibility, blocks: copied.blocks, after, readAtMs })
    await this.#parts.client.query({ text: watermarkStatement(watermark) })
  }

  #isUsable(task: SnapshotTask, visibility: Visibility): boolean {
    const { barrier } = task.cursor
    return this.#parts.recent.isUsable(visibility) && (barrier === undefined || visibility.xmin >= barrier)
  }

  async #table(name: string): Promise<CatalogTable | undefined> {
    if (!this.#tables) {
      const { client, publication, serverVersion, types } = this.#parts
      const tables = await readTables(client, publication, serverVersion)
      await types.load(tables.flatMap((table) => table.columns.map((column) => column.type)))
      this.#tables = new Map(tables.map((table) => [qualifiedName(table), table]))
    }
    return this.#tables.get(name)
  }

  /** Tables whose snapshot has ended without its last chunk, since the last call. */
  takeEnded(): SnapshotTask[] {
    return this.#ended.splice(0)
  }

  #end(task: SnapshotTask): void {
    task.position = { ...task.position, state: 'done' }
    task.cursor = task.position
    this.#ended.push(task)
    this.#parts.wake()
  }

  #refuse(task: SnapshotTask, error: unknown): void {
    this.#end(task)
    const why = error instanceof Error ? error.message : String(error)
    const message = `the snapshot of ${task.table} ends: its condition ${task.position.condition} fails: ${why}`
    this.#parts.report({ level: 'warning', code: 'snapshot-refused', message })
  }

  #gone(task: SnapshotTask): void {
    this.#end(task)
    this.#parts.report({
      level: 'warning',
      code: 'snapshot-table-gone',
      message: `the snapshot of ${task.table} ends after ${task.position.rows} rows: the table is gone, or no longer published`
    })
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.environment.timers.set(delayMs, resolve))
  }
}

/** Syntax, names and values of a condition that a signal brought: no reason to stop what else is captured. */
function isConditionsFault(task: SnapshotTask, state: string): boolean {
  return task.position.condition !== undefined && /^(22|42(?!501))/.test(state)
}

/** Where the snapshot is behind a chunk: at the key of its last row, or done when it was not full. */
function keyedAfter(
  cursor: SnapshotPosition,
  table: CatalogTable,
  chunk: { readonly copied: CopiedRows; readonly wanted: number }
): SnapshotPosition {
  const { copied, wanted } = chunk
  const rows = cursor.rows + copied.count
  const row = lastRow(copied)
  if (copied.count < wanted || !row) return { ...cursor, state: 'done', rows }
  const places = new Int32Array(table.columns.length * 2)
  splitCopiedRow({ source: row, start: 0, end: row.length }, places)
  const after = table.keyOrder.map((column) => {
    const start = places[column * 2]
    return row.toString('utf8', start, start + places[column * 2 + 1])
  })
  return { ...cursor, state: 'running', rows, after }
}
