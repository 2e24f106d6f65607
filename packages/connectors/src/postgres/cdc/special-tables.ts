import type { SourceRecord } from '../../source.ts'
import type { ChangeOrigin } from './envelope.ts'
import { OutboxUpdatedError, type PreflightProblem } from './errors.ts'
import type { PostgresCdcOptions } from './options.ts'
import { outboxColumns, outboxRecord } from './outbox.ts'
import type { Tuple } from './pgoutput/message.ts'
import type { CdcSessionParts } from './session-parts.ts'
import { parseSignal } from './signals.ts'
import type { Relation, TableRole } from './tables/relations.ts'
import { textOf } from './tables/table-encoder.ts'
import { type CatalogTable, qualifiedName } from './tables/table-shape.ts'

const SIGNAL_COLUMNS = ['id', 'type', 'data']
const SIGNAL_DEFINITION = '(id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))'
const OUTBOX_DEFINITION =
  '(id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, payload jsonb)'

/** Whether the signal table and the outbox are what they are taken for. */
export function specialProblems(
  { signalTable, outbox }: PostgresCdcOptions,
  tables: readonly CatalogTable[]
): PreflightProblem[] {
  const found: PreflightProblem[] = []
  const check = (what: string, name: string, { columns, definition }: { columns: string[]; definition: string }) => {
    const table = tables.find((one) => qualifiedName(one) === name)
    const setting = `${what} ${name}`
    if (!table) {
      found.push({ setting, found: 'it does not exist', fix: `CREATE TABLE ${name} ${definition}` })
      return
    }
    const missing = columns.filter((column) => !table.columns.some((one) => one.name === column))
    if (missing.length === 0) return
    const fix = `name other columns in the options, or ALTER TABLE ${name} ${missing.map((one) => `ADD COLUMN ${one} …`).join(', ')}`
    found.push({ setting, found: `it has no column ${missing.join(', ')}`, fix })
  }
  if (signalTable) check('signal table', signalTable, { columns: SIGNAL_COLUMNS, definition: SIGNAL_DEFINITION })
  if (outbox) check('outbox', outbox.table, { columns: outboxColumns(outbox), definition: OUTBOX_DEFINITION })
  return found
}

/** What a source does with a table. */
export function roleOf({ options, filter }: Pick<CdcSessionParts, 'options' | 'filter'>, table: string): TableRole {
  if (table === options.signalTable) return 'signal'
  if (table === options.outbox?.table) return 'outbox'
  return filter.matches(table) ? 'capture' : 'ignore'
}

/** Takes rows inserted into the tables that are not captured for their own sake: the outbox's become records, the signal table's signals. */
export function specialRows(
  { options, signals, context }: CdcSessionParts,
  add: (record: SourceRecord) => void
): (relation: Relation, row: Tuple, origin: ChangeOrigin) => void {
  return (relation, row, origin) => {
    if (relation.role === 'outbox' && options.outbox) {
      add(outboxRecord(options.outbox, { table: relation.encoder, row }, origin))
      return
    }
    const signal = parseSignal(columnText(relation, row, 'type'), columnText(relation, row, 'data'))
    if (typeof signal !== 'string') signals.push(signal)
    else context.report({ level: 'warning', code: 'signal-refused', message: signal })
  }
}

/** Takes updates of those tables: an event of the outbox cannot be changed any more. */
export function specialUpdates({ options: { outbox }, context }: CdcSessionParts): (relation: Relation) => void {
  let isTold = false
  return ({ role }) => {
    if (role !== 'outbox' || outbox === undefined || outbox.onUpdate === 'ignore') return
    const error = new OutboxUpdatedError(outbox.table)
    if (outbox.onUpdate === 'fail') throw error
    if (isTold) return
    isTold = true
    context.report({ level: 'warning', code: 'outbox-updated', message: error.message })
  }
}

function columnText(relation: Relation, row: Tuple, name: string): string | undefined {
  const { columns } = relation.encoder.shape
  return textOf(
    row,
    columns.findIndex((column) => column.name === name)
  )
}
