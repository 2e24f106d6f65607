import type { OpenedPartition } from '../../sink.ts'
import type { OffsetAdvance, OffsetRow } from '../../sql/claimed-offsets.ts'
import { addTopicIds, createOffsetsTable } from '../../sql/claimed-offsets.ts'
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
  async claim(partitions: readonly OpenedPartition[]): Promise<readonly OffsetRow[]> {
    const table = quoteTable(this.#table)
    return this.#session.transaction(async () => {
      await this.#session.query('SELECT pg_advisory_xact_lock(hashtext($1))', [this.#table])
      // Who may not create tables is refused even where the table is there.
      const { rows: found } = await this.#session.query(
        `SELECT attribute.attname AS "topicIds" FROM pg_class LEFT JOIN pg_attribute AS attribute
           ON attribute.attrelid = pg_class.oid AND attribute.attname = 'topic_id' AND NOT attribute.attisdropped
         WHERE pg_class.oid = to_regclass($1)`,
        [table]
      )
      if (found.length === 0) await this.#session.query(createOffsetsTable(this.#table))
      else if (found[0].topicIds == null) await this.#session.query(addTopicIds(this.#table))
      const { rows } = await this.#session.query(
        `INSERT INTO ${table} (sink, topic, partition, epoch, topic_id) SELECT $1::text, topic, partition, 1, topic_id
         FROM json_to_recordset($2::json) AS r(topic text, partition integer, topic_id text)
         ON CONFLICT (sink, topic, partition) DO UPDATE
           SET epoch = ${table}.epoch + 1, topic_id = coalesce(${table}.topic_id, excluded.topic_id)
         RETURNING topic, partition, next_offset, epoch, topic_id`,
        [
          this.#sink,
          JSON.stringify(partitions.map(({ topicId, ...partition }) => ({ ...partition, topic_id: topicId })))
        ]
      )
      return rows.map(offsetRow)
    })
  }

  /** Makes the steps, within a transaction; returns how many could be made. */
  async advance(advances: readonly OffsetAdvance[]): Promise<number> {
    const { rowCount } = await this.#session.query(
      `UPDATE ${quoteTable(this.#table)} AS t SET next_offset = r.to_offset, topic_id = coalesce(r.topic_id, t.topic_id)
       FROM json_to_recordset($2::json)
         AS r(topic text, partition integer, epoch bigint, from_offset bigint, to_offset bigint, topic_id text)
       WHERE t.sink = $1 AND t.topic = r.topic AND t.partition = r.partition AND t.epoch = r.epoch
         AND t.next_offset IS NOT DISTINCT FROM r.from_offset`,
      [
        this.#sink,
        JSON.stringify(
          advances.map(({ from, to, topicId, ...rest }) => ({
            ...rest,
            from_offset: from,
            to_offset: to,
            topic_id: topicId
          }))
        )
      ]
    )
    return rowCount ?? 0
  }

  /** What is in the target now. */
  async read(): Promise<readonly OffsetRow[]> {
    const { rows } = await this.#session.query(
      `SELECT topic, partition, next_offset, epoch, topic_id FROM ${quoteTable(this.#table)} WHERE sink = $1`,
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
    epoch: Number(row.epoch),
    topicId: row.topic_id == null ? null : String(row.topic_id)
  }
}
