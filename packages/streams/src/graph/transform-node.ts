import type { StoreDefinition } from './node.ts'
import type { ProcessContext } from './process-context.ts'
import type { TableNodeBase, TableRow } from './table-node.ts'

/** A row as a transformer gets it. */
export interface TransformedRow<K = unknown> extends TableRow<K> {
  /** Of the change, milliseconds since the epoch; where the row is computed to be read, the row's, -1 where there is none. */
  readonly timestamp: number
}

/** What a transformer is given: a processor's context, without the way onward. */
export type TransformContext = Omit<ProcessContext, 'forward'>

/** A transformer of one task. */
export interface RunningTransformer {
  /** @param value Null for a row that is gone. Null or undefined deletes. */
  transform(value: unknown, row: TransformedRow): unknown
  /** The task ends. Nothing can be stored any more. */
  close?(): void
}

/**
 * A value from each value of a table, by a program's own function with stores and punctuation. It is shown deletions too. Where the result is not kept,
 * it is called again for what a row was, and for each row that is read.
 */
export interface TableTransformValuesNode extends TableNodeBase {
  readonly kind: 'table-transform-values'
  /** Called once per task; what it returns is called per value. */
  readonly make: (context: TransformContext) => RunningTransformer
  /** Shared with processors of the topology that name the same ones. */
  readonly stores: readonly StoreDefinition[]
  /** Names of those of the stores that it only reads. */
  readonly readOnly?: readonly string[]
  /** Names of global tables' stores that it reads. */
  readonly globals: readonly string[]
}
