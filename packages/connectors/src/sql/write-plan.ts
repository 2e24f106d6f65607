import { PoisonousRecordError } from '../errors.ts'
import type { Row, RowChange, RowUpsert } from '../rows/row-change.ts'
import type { SinkPartition, SinkRecord } from '../sink.ts'
import { ColumnNames } from './column-names.ts'
import { PartitionedTruncateError } from './errors.ts'
import { identityOf, type KeyIdentity, sortedIdentities } from './key-identity.ts'
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

/** A row to be upserted. */
interface Upsert {
  readonly keyColumns: readonly string[]
  readonly columns: readonly string[]
  readonly row: Row
}

/** The work for one table: what only its last change per key decides, and what keeps its order. */
class TablePlan {
  readonly #table: string
  readonly #mode: WriteMode
  readonly #keyNames = new ColumnNames()
  readonly #rowNames = new ColumnNames()
  #truncate = false
  readonly #deletes = new Map<KeyIdentity, Row>()
  readonly #upserts = new Map<KeyIdentity, Upsert>()
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
    const keys = sortedIdentities(this.#deletes.keys()).flatMap((identity) => {
      const key = this.#deletes.get(identity)
      return key === undefined ? [] : [key]
    })
    for (const [columns, rows] of Map.groupBy(keys, (key) => this.#keyNames.of(key))) {
      removals.push({ kind: 'delete', table: this.#table, columns, rows })
    }
    return { removals, writes: [...this.#upsertSteps(), ...this.#ordered] }
  }

  #upsertSteps(): WriteStep[] {
    const steps: OrderedWrite[] = []
    let step: OrderedWrite | undefined
    for (const identity of sortedIdentities(this.#upserts.keys())) {
      const upsert = this.#upserts.get(identity)
      if (upsert === undefined) continue
      const { keyColumns, columns, row } = upsert
      if (step?.columns !== columns || step.keyColumns !== keyColumns) {
        step = steps.find((other) => other.columns === columns && other.keyColumns === keyColumns)
      }
      if (step !== undefined) step.rows.push(row)
      else {
        step = { kind: 'write', table: this.#table, keyColumns, columns, rows: [row] }
        steps.push(step)
      }
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
    const keyColumns = this.#keyNames.of(key)
    if (keyColumns.length === 0 && this.#mode === 'update') {
      throw new PoisonousRecordError(record, 'it has no key, which an update needs')
    }
    if (keyColumns.length > 0 && this.#mode === 'upsert') this.#upsert(keyColumns, key, row)
    else this.#append(keyColumns, row)
  }

  #upsert(keyColumns: readonly string[], key: Row, row: Row): void {
    const identity = identityOf(key, keyColumns)
    const before = this.#upserts.get(identity)
    const merged = before === undefined ? row : { ...before.row, ...row }
    this.#upserts.set(identity, { keyColumns, columns: this.#rowNames.of(merged), row: merged })
  }

  #delete(record: SinkRecord, key: Row): void {
    const columns = this.#keyNames.of(key)
    if (columns.length === 0) throw new PoisonousRecordError(record, 'it deletes, but has no key')
    if (this.#mode !== 'upsert') {
      this.#ordered.push({ kind: 'delete', table: this.#table, columns, rows: [key] })
      return
    }
    const identity = identityOf(key, columns)
    this.#upserts.delete(identity)
    this.#deletes.set(identity, key)
  }

  #deleteRow(row: Row): void {
    const columns = this.#rowNames.of(row)
    this.#ordered.push({ kind: 'delete-row', table: this.#table, columns, row })
  }

  /** Neighbours of the same columns share a statement. */
  #append(keyColumns: readonly string[], row: Row): void {
    const columns = this.#rowNames.of(row)
    const previous = this.#ordered.at(-1)
    if (this.#mode !== 'update' && previous?.kind === 'write' && previous.columns === columns) previous.rows.push(row)
    else this.#ordered.push({ kind: 'write', table: this.#table, keyColumns, columns, rows: [row] })
  }
}
