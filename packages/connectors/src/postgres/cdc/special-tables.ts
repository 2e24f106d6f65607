import type { SourceRecord } from '../../source.ts'
import type { ChangeOrigin } from './envelope.ts'
import { outboxRecord } from './outbox.ts'
import type { Tuple } from './pgoutput/message.ts'
import type { CdcSessionParts } from './session-parts.ts'
import { parseSignal } from './signals.ts'
import type { Relation, TableRole } from './tables/relations.ts'
import { textOf } from './tables/table-encoder.ts'

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

function columnText(relation: Relation, row: Tuple, name: string): string | undefined {
  const { columns } = relation.encoder.shape
  return textOf(
    row,
    columns.findIndex((column) => column.name === name)
  )
}
