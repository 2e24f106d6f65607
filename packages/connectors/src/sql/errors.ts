import { MillraceError } from '@millrace/log'
import { SinkSetupError } from '../errors.ts'

/** The target has no such table, and the sink may not create it. `statement` would. */
export class TargetTableMissingError extends SinkSetupError {
  readonly code = 'CONNECTORS_TARGET_TABLE_MISSING'
  readonly table: string
  readonly statement: string

  constructor(table: string, statement: string) {
    super(`table ${table} is not in the target: create it, e.g. with ${statement} or give the sink createTables: true`)
    this.table = table
    this.statement = statement
  }
}

/** A record has columns that the target's table has not, and the sink may not add them. `statement` would. */
export class TargetColumnMissingError extends SinkSetupError {
  readonly code = 'CONNECTORS_TARGET_COLUMN_MISSING'
  readonly table: string
  readonly columns: readonly string[]
  readonly statement: string

  constructor(table: string, columns: readonly string[], statement: string) {
    super(
      `table ${table} has no column ${columns.join(', ')}: add it, e.g. with ${statement} or give the sink evolveTables: true, or leave the field out in a transform`
    )
    this.table = table
    this.columns = columns
    this.statement = statement
  }
}

/** Upserts need a unique index over exactly the key's columns. `statement` would make one. */
export class TargetKeyMissingError extends SinkSetupError {
  readonly code = 'CONNECTORS_TARGET_KEY_MISSING'
  readonly table: string
  readonly keyColumns: readonly string[]
  readonly statement: string

  constructor(table: string, keyColumns: readonly string[], statement: string) {
    super(
      `table ${table} has no primary key or unique index over (${keyColumns.join(', ')}), which upserts need: make one, e.g. with ${statement}`
    )
    this.table = table
    this.keyColumns = keyColumns
    this.statement = statement
  }
}

/**
 * A truncate came from a topic with several partitions: it stands in each of them, and the table has rows of all of them, some of which may be from
 * behind it already. Nothing was written.
 */
export class PartitionedTruncateError extends SinkSetupError {
  readonly code = 'CONNECTORS_PARTITIONED_TRUNCATE'
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(where: { readonly topic: string; readonly partition: number; readonly offset: number }, table: string) {
    super(
      `the truncate at offset ${where.offset} of ${where.topic}-${where.partition} cannot be carried out: table ${table} has rows of the topic's other ` +
        'partitions, which may be newer. Give the topic one partition, leave truncates out (postgresCdc({ truncates: false })), or write a materialized view instead'
    )
    this.topic = where.topic
    this.partition = where.partition
    this.offset = where.offset
  }
}

/** The target refuses this user or this database: a wrong password, a missing privilege. The message says what to do. */
export class TargetAccessError extends SinkSetupError {
  readonly code = 'CONNECTORS_TARGET_ACCESS'
  readonly targetCode: string | undefined

  constructor(message: string, targetCode: string | undefined, options?: ErrorOptions) {
    super(message, options)
    this.targetCode = targetCode
  }
}

/** The target refused what was written, and would again. `targetCode` is its own code (an SQLSTATE, a SQLite code). */
export class TargetRefusedError extends MillraceError {
  readonly code = 'CONNECTORS_TARGET_REFUSED'
  readonly table: string | undefined
  readonly targetCode: string | undefined

  constructor(
    message: string,
    details: { readonly table?: string | undefined; readonly targetCode?: string | undefined },
    options?: ErrorOptions
  ) {
    super(message, options)
    this.table = details.table
    this.targetCode = details.targetCode
  }
}
