import { PoisonousRecordError } from '../errors.ts'
import type { ColumnValue, Row, RowChange, RowUpsert } from '../rows/row-change.ts'
import type { SinkPartition, SinkRecord } from '../sink.ts'
import { PartitionedTruncateError } from './errors.ts'
import { type SqlSinkOptions, tableOf, type WriteMode } from './sql-sink-options.ts'

/** One statement's worth of work, to be done in the order of the plan. */
export type WriteStep =
  | { readonly kind: 'truncate'; readonly table: string }
  | {
      readonly kind: 'delete'
      readonly table: string
      readonly columns: readonly string[]
      readonly rows: readonly Row[]
    }
  | { readonly kind: 'delete-row'; readonly table: string; readonly columns: readonly string[]; readonly row: Row }
  | WriteRows

/** Rows of the same columns. */
export interface WriteRows {
  readonly kind: 'write'
  readonly table: string
  readonly keyColumns: readonly string[]
  /** All columns, sorted by name. */
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

/** A plan's options. */
export type PlanOptions = Pick<SqlSinkOptions, 'rows' | 'table' | 'mode' | 'deletes'>

/**
 * What a batch does to the target. Upserts are reduced to the last change per key (one statement may not touch a row twice) and sorted by key, so
 * that two writers lock rows in one order; then deletes go before writes. Inserts and updates, and tables without a key, keep the order of
 * the records.
 * @param hasSiblings whether the topic of a partition has others: then a truncate cannot be told from what other partitions brought.
 * @throws PoisonousRecordError when a record is no row. PartitionedTruncateError.
 */
export function planWrites(
  batch: readonly SinkRecord[],
  options: PlanOptions,
  hasSiblings: (partition: SinkPartition) => boolean = ({ partition }) => partition > 0
): readonly WriteStep[] {
  const tables = new Map<string, TablePlan>()
  for (const record of batch) {
    const change = options.rows.decode(record)
    if (change === undefined || (change.kind === 'delete' && options.deletes === false)) continue
    const table = tableOf(record, options.table)
    if (change.kind === 'truncate' && hasSiblings(record)) throw new PartitionedTruncateError(record, table)
    const plan = tables.get(table) ?? new TablePlan(table, options.mode ?? 'upsert')
    tables.set(table, plan)
    plan.add(record, change)
  }
  const plans = [...tables.values()].map((plan) => plan.steps())
  // What refers to other tables comes after them, and goes before them.
  return [...plans.toReversed().flatMap(({ removals }) => removals), ...plans.flatMap(({ writes }) => writes)]
}

/** A step that still takes rows. */
interface OrderedWrite extends WriteRows {
  readonly rows: Row[]
}

/** The work for one table: what only its last change per key decides, and what keeps its order. */
class TablePlan {
  readonly #table: string
  readonly #mode: WriteMode
  #truncate = false
  readonly #deletes = new Map<string, Row>()
  readonly #upserts = new Map<string, { readonly keyColumns: readonly string[]; readonly row: Row }>()
  readonly #ordered: (Exclude<WriteStep, WriteRows> | OrderedWrite)[] = []

  constructor(table: string, mode: WriteMode) {
    this.#table = table
    this.#mode = mode
  }

  add(record: SinkRecord, change: RowChange): void {
    if (change.kind === 'truncate') this.#clear()
    else if (change.kind === 'upsert') this.#write(record, change)
    else if (change.wholeRow) this.#deleteRow(change.key)
    else this.#delete(record, change.key)
  }

  steps(): { readonly removals: readonly WriteStep[]; readonly writes: readonly WriteStep[] } {
    const removals: WriteStep[] = this.#truncate ? [{ kind: 'truncate', table: this.#table }] : []
    for (const rows of sameColumns([...this.#deletes].toSorted(byIdentity).map(([, row]) => row))) {
      removals.push({ kind: 'delete', table: this.#table, columns: columnsOf(rows[0] ?? {}), rows })
    }
    return { removals, writes: [...this.#upsertSteps(), ...this.#ordered] }
  }

  #upsertSteps(): WriteStep[] {
    const steps: OrderedWrite[] = []
    for (const identity of [...this.#upserts.keys()].sort()) {
      const upsert = this.#upserts.get(identity)
      if (upsert === undefined) continue
      const { keyColumns, row } = upsert
      const columns = columnsOf(row)
      const step = steps.find((other) => other.columns === columns && other.keyColumns === keyColumns)
      if (step === undefined) steps.push({ kind: 'write', table: this.#table, keyColumns, columns, rows: [row] })
      else step.rows.push(row)
    }
    return steps
  }

  #clear(): void {
    this.#truncate = true
    this.#deletes.clear()
    this.#upserts.clear()
    this.#ordered.length = 0
  }

  #write(record: SinkRecord, { key, row }: RowUpsert): void {
    const keyed = Object.keys(key).length > 0
    if (!keyed && this.#mode === 'update')
      throw new PoisonousRecordError(record, 'it has no key, which an update needs')
    if (keyed && this.#mode === 'upsert') this.#upsert(key, row)
    else this.#append(key, row)
  }

  #upsert(key: Row, row: Row): void {
    const keyColumns = columnsOf(key)
    const identity = identityOf(key, keyColumns)
    const before = this.#upserts.get(identity)
    this.#upserts.set(identity, { keyColumns, row: before === undefined ? row : { ...before.row, ...row } })
  }

  #delete(record: SinkRecord, key: Row): void {
    if (Object.keys(key).length === 0) throw new PoisonousRecordError(record, 'it deletes, but has no key')
    if (this.#mode !== 'upsert') {
      this.#ordered.push({ kind: 'delete', table: this.#table, columns: columnsOf(key), rows: [key] })
      return
    }
    const identity = identityOf(key, columnsOf(key))
    this.#upserts.delete(identity)
    this.#deletes.set(identity, key)
  }

  #deleteRow(row: Row): void {
    this.#ordered.push({ kind: 'delete-row', table: this.#table, columns: columnsOf(row), row })
  }

  /** Neighbours of the same columns share a statement. */
  #append(key: Row, row: Row): void {
    const columns = columnsOf(row)
    const previous = this.#ordered.at(-1)
    if (this.#mode !== 'update' && previous?.kind === 'write' && previous.columns === columns) previous.rows.push(row)
    else this.#ordered.push({ kind: 'write', table: this.#table, keyColumns: columnsOf(key), columns, rows: [row] })
  }
}

function sameColumns(rows: readonly Row[]): (readonly Row[])[] {
  return [...Map.groupBy(rows, columnsOf).values()]
}

const knownColumns = new Map<string, readonly string[]>()
const KNOWN_COLUMNS_LIMIT = 1000

/** The row's columns, sorted: one and the same array for all rows of the same columns, as far as they are known. */
function columnsOf(row: Row): readonly string[] {
  const names = Object.keys(row)
  const written = names.join('\0')
  const known = knownColumns.get(written)
  if (known !== undefined) return known
  const sorted = names.toSorted()
  const identity = sorted.join('\0')
  const columns = knownColumns.get(identity) ?? sorted
  if (knownColumns.size >= KNOWN_COLUMNS_LIMIT) knownColumns.clear()
  knownColumns.set(identity, columns)
  knownColumns.set(written, columns)
  return columns
}

/** Text that two keys share when they are equal in the target, where '1' may be 1. */
function identityOf(key: Row, columns: readonly string[]): string {
  let identity = ''
  for (const column of columns) identity += `${stringOf(key[column])}\0`
  return identity
}

function stringOf(value: ColumnValue | undefined): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function byIdentity([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
