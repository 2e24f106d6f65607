import type { SinkPartition } from '../../sink.ts'
import type { OffsetAdvance, OffsetRow } from '../../sql/claimed-offsets.ts'
import { createOffsetsTable } from '../../sql/claimed-offsets.ts'
import { quoteTable } from '../../sql/identifier.ts'
import type { PostgresSession } from './session.ts'

/** The offsets of one sink, kept in a table of the target. */
export class OffsetsTable {
  readonly #session: PostgresSession
  readonly #table: string
  readonly #sink: string

  constructor(session: PostgresSession, table: string, sink: string) {
    this.#session = session
    this.#table = table
    this.#sink = sink
  }

  /** Raises the epochs of the partitions, in a transaction of its own. Two that create the table at once must not fail each other. */
  async claim(partitions: readonly SinkPartition[]): Promise<readonly OffsetRow[]> {
    const table = quoteTable(this.#table)
    return this.#session.transaction(async () => {
      await this.#session.query('SELECT pg_advisory_xact_lock(hashtext($1))', [this.#table])
      // Who may not create tables is refused even where the table is there.
      const { rows: found } = await this.#session.query('SELECT to_regclass($1) AS found', [table])
      if (found[0]?.found == null) await this.#session.query(createOffsetsTable(this.#table))
      const { rows } = await this.#session.query(
        `INSERT INTO ${table} SELECT $1::text, topic, partition, NULL, 1
         FROM json_to_recordset($2::json) AS r(topic text, partition integer)
         ON CONFLICT (sink, topic, partition) DO UPDATE SET epoch = ${table}.epoch + 1
         RETURNING topic, partition, next_offset, epoch`,
        [this.#sink, JSON.stringify(partitions.map(({ topic, partition }) => ({ topic, partition })))]
      )
      return rows.map(offsetRow)
    })
  }

  /** Makes the steps, within a transaction; returns how many could be made. */
  async advance(advances: readonly OffsetAdvance[]): Promise<number> {
    const { rowCount } = await this.#session.query(
      `UPDATE ${quoteTable(this.#table)} AS t SET next_offset = r.to_offset
       FROM json_to_recordset($2::json) AS r(topic text, partition integer, epoch bigint, from_offset bigint, to_offset bigint)
       WHERE t.sink = $1 AND t.topic = r.topic AND t.partition = r.partition AND t.epoch = r.epoch
         AND t.next_offset IS NOT DISTINCT FROM r.from_offset`,
      [
        this.#sink,
        JSON.stringify(advances.map(({ from, to, ...rest }) => ({ ...rest, from_offset: from, to_offset: to })))
      ]
    )
    return rowCount ?? 0
  }

  /** What is in the target now. */
  async read(): Promise<readonly OffsetRow[]> {
    const { rows } = await this.#session.query(
      `SELECT topic, partition, next_offset, epoch FROM ${quoteTable(this.#table)} WHERE sink = $1`,
      [this.#sink]
    )
    return rows.map(offsetRow)
  }
}

function offsetRow(row: Readonly<Record<string, unknown>>): OffsetRow {
  return {
    topic: String(row.topic),
    partition: Number(row.partition),
    nextOffset: row.next_offset === null ? null : Number(row.next_offset),
    epoch: Number(row.epoch)
  }
}
