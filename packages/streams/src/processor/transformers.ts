import { NO_HEADERS } from '@millrace/log'
import type { RecordOrigin } from '../graph/record.ts'
import type { TableTransformValuesNode, TransformedRow } from '../graph/transform-node.ts'
import { ProgramScope } from './program-scope.ts'
import type { ProcessorContext } from './task-context.ts'

/** A program's transformer of a task, as what processes and what reads its table call it. */
export interface TableTransformer {
  /**
   * The value that the row has in the result; undefined: it has none.
   * @param value Undefined where there is no row.
   * @param origin of the record it is computed for.
   */
  transform(value: unknown, row: TransformedRow, origin: RecordOrigin): unknown
  close(): void
}

/** The transformers of a task: one a node, whoever asks first, so that a transformer's own memory and schedules are there once. */
export function transformersOf(context: ProcessorContext): (node: TableTransformValuesNode) => TableTransformer {
  const made = new Map<string, TableTransformer>()
  return (node) => {
    const known = made.get(node.name)
    if (known !== undefined) return known
    const transformer = makeTransformer(node, context)
    made.set(node.name, transformer)
    return transformer
  }
}

function makeTransformer(node: TableTransformValuesNode, context: ProcessorContext): TableTransformer {
  const scope = new ProgramScope(node, context)
  const transformer = node.make(scope.context())
  return {
    transform: (value, row, origin) => {
      let result: unknown
      scope.call({ timestamp: row.timestamp, headers: NO_HEADERS, origin }, () => {
        result = transformer.transform(value ?? null, row)
      })
      return result ?? undefined
    },
    close: () => transformer.close?.()
  }
}
