import { partitionKey, UsageError } from '@millrace/log'
import { SinkFencedError } from '../errors.ts'
import type { OpenedPartition, SinkOffset, SinkPartition } from '../sink.ts'
import { quoteTable } from './identifier.ts'

/** What the target's offsets table says of one partition. */
export interface OffsetRow extends SinkPartition {
  /** Null when nothing was written of the partition yet. */
  readonly nextOffset: number | null
  readonly epoch: number
  /** Id of the topic that the offset is one of; null when it was not known. */
  readonly topicId: string | null
}

/** A step of a partition's offset, to be made in the transaction of the rows: it must find the row at `epoch` and `from`. */
export interface OffsetAdvance extends SinkPartition {
  readonly epoch: number
  readonly from: number | null
  readonly to: number
  /** Id of the topic as this runner reads it; null leaves what is there. */
  readonly topicId: string | null
}

/** The partitions that this runner claimed in the target, each with the epoch it got and the offset it has come to. */
export class ClaimedOffsets {
  readonly #sink: string
  readonly #rows = new Map<string, OffsetRow>()
  readonly #topicIds = new Map<string, string>()

  constructor(sink: string, claimed: readonly OffsetRow[], opened: readonly OpenedPartition[] = []) {
    this.#sink = sink
    for (const { topic, topicId } of opened) if (topicId !== undefined) this.#topicIds.set(topic, topicId)
    for (const row of claimed) this.#rows.set(nameOf(row), row)
  }

  /** Where the partitions go on that something was written of. */
  positions(): readonly SinkOffset[] {
    return [...this.#rows.values()].flatMap(({ topic, partition, nextOffset: offset, topicId }) =>
      offset === null ? [] : [{ topic, partition, offset, ...(topicId !== null && { topicId }) }]
    )
  }

  /** Whether the topic of this partition is known to have others. */
  hasSiblings({ topic, partition }: SinkPartition): boolean {
    return partition > 0 || [...this.#rows.values()].some((row) => row.topic === topic && row.partition !== partition)
  }

  /** The steps from where the partitions are to the offsets. */
  advances(offsets: readonly SinkOffset[]): readonly OffsetAdvance[] {
    return offsets.map(({ topic, partition, offset }) => {
      const { epoch, nextOffset } = this.#claimed({ topic, partition })
      return { topic, partition, epoch, from: nextOffset, to: offset, topicId: this.#topicIds.get(topic) ?? null }
    })
  }

  /** The steps are committed. */
  advanced(advances: readonly OffsetAdvance[]): void {
    for (const { topic, partition, epoch, to, topicId } of advances) {
      this.#rows.set(nameOf({ topic, partition }), { topic, partition, epoch, nextOffset: to, topicId })
    }
  }

  /**
   * Judges what the target has after a step was not possible: true when all of them were made already, by a commit whose answer was lost.
   * @throws SinkFencedError when another runner claimed a partition, or changed its offset.
   */
  alreadyMade(advances: readonly OffsetAdvance[], found: readonly OffsetRow[]): boolean {
    const rows = new Map(found.map((row) => [nameOf(row), row]))
    const made = advances.filter(({ epoch, to, ...partition }) => {
      const row = rows.get(nameOf(partition))
      if (row?.epoch !== epoch) throw new SinkFencedError(this.#sink, epoch)
      return row.nextOffset === to
    })
    if (made.length === advances.length) return true
    throw new SinkFencedError(this.#sink, advances[0]?.epoch ?? 0)
  }

  #claimed(partition: SinkPartition): OffsetRow {
    const row = this.#rows.get(nameOf(partition))
    if (row !== undefined) return row
    throw new UsageError(`sink ${this.#sink} was not opened for ${nameOf(partition)}, but is to write it`)
  }
}

/** The table that keeps the offsets: one row for a sink and a partition. */
export function createOffsetsTable(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (
    "sink" text NOT NULL, "topic" text NOT NULL, "partition" integer NOT NULL, "next_offset" bigint, "epoch" bigint NOT NULL,
    "topic_id" text, PRIMARY KEY ("sink", "topic", "partition"))`
}

/** Tables of before have no ids: their offsets are taken for those of the topics that are there. */
export function addTopicIds(table: string): string {
  return `ALTER TABLE ${quoteTable(table)} ADD COLUMN "topic_id" text`
}

function nameOf({ topic, partition }: SinkPartition): string {
  return partitionKey(topic, partition)
}
