import type { SinkPartition } from '../sink.ts'
import { createOffsetsTable, type OffsetAdvance, type OffsetRow } from '../sql/claimed-offsets.ts'
import { quoteTable } from '../sql/identifier.ts'
import type { SqliteRow } from './database.ts'
import type { ChangeJob, Job } from './jobs.ts'

/** Where the offsets of one sink are kept in its target. */
export interface OffsetsPlace {
  readonly table: string
  readonly sink: string
}

/** Raises the epochs of the partitions; each gives its row. */
export function claimJobs({ table, sink }: OffsetsPlace, partitions: readonly SinkPartition[]): readonly Job[] {
  const name = quoteTable(table)
  const sql = `INSERT INTO ${name} VALUES (?, ?, ?, NULL, 1)
    ON CONFLICT DO UPDATE SET "epoch" = ${name}."epoch" + 1 RETURNING "topic", "partition", "next_offset", "epoch"`
  return [
    { kind: 'execute', sql: createOffsetsTable(table) },
    ...partitions.map((one): Job => ({ kind: 'query', sql, values: [sink, one.topic, one.partition] }))
  ]
}

/** Makes a step, which finds no row when another runner has claimed the partition. */
export function advanceJob({ table, sink }: OffsetsPlace, advance: OffsetAdvance): ChangeJob {
  const { topic, partition, epoch, from, to } = advance
  const sql = `UPDATE ${quoteTable(table)} SET "next_offset" = ?
    WHERE "sink" = ? AND "topic" = ? AND "partition" = ? AND "epoch" = ? AND "next_offset" IS ?`
  return { kind: 'change', sql, values: [to, sink, topic, partition, epoch, from] }
}

/** Gives what is in the target now. */
export function offsetsJob({ table, sink }: OffsetsPlace): Job {
  const sql = `SELECT "topic", "partition", "next_offset", "epoch" FROM ${quoteTable(table)} WHERE "sink" = ?`
  return { kind: 'query', sql, values: [sink] }
}

/** The row as a query gave it. */
export function offsetRow({ topic, partition, next_offset: nextOffset, epoch }: SqliteRow): OffsetRow {
  return {
    topic: String(topic),
    partition: Number(partition),
    nextOffset: nextOffset == null ? null : Number(nextOffset),
    epoch: Number(epoch)
  }
}
