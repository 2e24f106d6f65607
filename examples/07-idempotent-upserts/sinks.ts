import { DatabaseSync } from 'node:sqlite'
import { defineSink, jsonRows, type Sink } from '@millrace/connectors'
import { sqliteSink } from '@millrace/connectors/sqlite'

/** The connector of the library: rows and offsets in one transaction of SQLite, so that nothing is written again. */
export function ordersSink(file: string): Sink {
  return sqliteSink({ name: 'orders', file, table: 'orders', rows: jsonRows({ key: 'order' }) })
}

const UPSERT = `
  INSERT INTO orders_by_hand ("order", change, status, cents)
  VALUES (:order, :value ->> 'change', :value ->> 'status', :value ->> 'cents')
  ON CONFLICT DO UPDATE SET change = excluded.change, status = excluded.status, cents = excluded.cents`

/**
 * A sink of one's own. It keeps no offsets: after a crash it gets the last records once more, and writes the same rows over themselves. That is
 * harmless since each record says all of its row, and since those of one order come in their order.
 */
export function ordersByHand(file: string): Sink {
  let database: DatabaseSync | undefined
  return defineSink({
    name: 'orders-by-hand',
    open() {
      database = new DatabaseSync(file, { timeout: 5_000 })
    },
    write(batch) {
      const upsert = database?.prepare(UPSERT)
      database?.exec('BEGIN IMMEDIATE')
      for (const { key, value } of batch) upsert?.run({ order: String(key), value: String(value) })
      database?.exec('COMMIT')
    },
    close() {
      database?.close()
    }
  })
}
