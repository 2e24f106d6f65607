import type { OpenedPartition } from '../sink.ts'
import { addTopicIds, createOffsetsTable, type OffsetAdvance, type OffsetRow } from '../sql/claimed-offsets.ts'
import { quoteTable } from '../sql/identifier.ts'
import type { TargetTable } from '../sql/target-table.ts'
import type { SqliteRow } from './database.ts'
import type { ChangeJob, Job } from './jobs.ts'

/** Where the offsets of one sink are kept in its target. */
export interface OffsetsPlace {
  readonly table: string
  readonly sink: string
}

const COLUMNS = '"topic", "partition", "next_offset", "epoch", "topic_id"'

/** Makes the table unless it is there, and looks at it. */
export function offsetsTableJobs({ table }: OffsetsPlace): readonly Job[] {
  return [
    { kind: 'execute', sql: createOffsetsTable(table) },
    { kind: 'table', table }
  ]
}

/** Raises the epochs of the partitions; each gives its row. `found` is the table as it was looked at. */
export function claimJobs(
  { table, sink }: OffsetsPlace,
  partitions: readonly OpenedPartition[],
  found: TargetTable | undefined
): readonly Job[] {
  const name = quoteTable(table)
  const sql = `INSERT INTO ${name} ("sink", "topic", "partition", "epoch", "topic_id") VALUES (?, ?, ?, 1, ?)
    ON CONFLICT DO UPDATE SET "epoch" = ${name}."epoch" + 1, "topic_id" = coalesce(${name}."topic_id", excluded."topic_id")
    RETURNING ${COLUMNS}`
  const upgrade: readonly Job[] = found?.columns.has('topic_id') ? [] : [{ kind: 'execute', sql: addTopicIds(table) }]
  return [
    ...upgrade,
    ...partitions.map(
      ({ topic, partition, topicId }): Job => ({
        kind: 'query',
        sql,
        values: [sink, topic, partition, topicId ?? null]
      })
    )
  ]
}

/** Makes a step, which finds no row when another runner has claimed the partition. */
export function advanceJob({ table, sink }: OffsetsPlace, advance: OffsetAdvance): ChangeJob {
  const { topic, partition, epoch, from, to, topicId } = advance
  const sql = `UPDATE ${quoteTable(table)} SET "next_offset" = ?, "topic_id" = coalesce(?, "topic_id")
    WHERE "sink" = ? AND "topic" = ? AND "partition" = ? AND "epoch" = ? AND "next_offset" IS ?`
  return { kind: 'change', sql, values: [to, topicId, sink, topic, partition, epoch, from] }
}

/** Gives what is in the target now. */
export function offsetsJob({ table, sink }: OffsetsPlace): Job {
  const sql = `SELECT ${COLUMNS} FROM ${quoteTable(table)} WHERE "sink" = ?`
  return { kind: 'query', sql, values: [sink] }
}

/** The row as a query gave it. */
export function offsetRow({
  topic,
  partition,
  next_offset: nextOffset,
  epoch,
  topic_id: topicId
}: SqliteRow): OffsetRow {
  return {
    topic: String(topic),
    partition: Number(partition),
    nextOffset: nextOffset == null ? null : Number(nextOffset),
    epoch: Number(epoch),
    topicId: topicId == null ? null : String(topicId)
  }
}
