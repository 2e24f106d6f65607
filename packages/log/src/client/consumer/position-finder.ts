import { InvariantError, MillraceError } from '../../errors.ts'
import type { ClientContext } from '../client-context.ts'
import { OffsetOutOfRangeError } from '../errors.ts'
import { fetchGroupOffsets } from '../group-offsets.ts'
import { listPartitionOffsets } from '../list-offsets.ts'
import { groupByTopic, partitionKey } from '../topic-partition.ts'
import type { ConsumerConfig } from './consumer-options.ts'
import type { PartitionReader } from './partition-reader.ts'

/** What a finder reports. */
export interface PositionListener {
  /** Positions were found. */
  advanced(): void
  /** No position can be found without the caller's decision. */
  failed(error: MillraceError): void
}

/**
 * Finds where reading begins: at the group's committed position, and where there is none, at the partition's first offset or end. Runs beside the
 * polls.
 */
export class PositionFinder {
  readonly #context: ClientContext
  readonly #config: ConsumerConfig
  readonly #listener: PositionListener
  readonly #sought = new Set<PartitionReader>()

  constructor(context: ClientContext, config: ConsumerConfig, listener: PositionListener) {
    this.#context = context
    this.#config = config
    this.#listener = listener
  }

  /** Begins to look for the positions that are missing and not looked for already. */
  find(readers: Iterable<PartitionReader>): void {
    const missing: PartitionReader[] = []
    for (const reader of readers) {
      if (reader.position === undefined && !this.#sought.has(reader)) missing.push(reader)
    }
    if (missing.length > 0) void this.#run(missing)
  }

  async #run(missing: readonly PartitionReader[]): Promise<void> {
    for (const reader of missing) this.#sought.add(reader)
    const versions = new Map(missing.map((reader) => [reader, reader.version]))
    const current = (reader: PartitionReader) =>
      reader.position === undefined && reader.version === versions.get(reader)
    await this.#report(this.#seekCommitted(missing, current))
    // Topic by topic: one that does not exist yet keeps no other waiting.
    const topics = groupByTopic(missing.filter((reader) => current(reader) && reader.source !== 'committed'))
    await Promise.all([...topics.values()].map((readers) => this.#report(this.#seekByPolicy(readers, current))))
    for (const reader of missing) this.#sought.delete(reader)
    this.#listener.advanced()
  }

  async #report(seeking: Promise<void>): Promise<void> {
    try {
      await seeking
      this.#listener.advanced()
    } catch (error) {
      this.#listener.failed(failureOf(error))
    }
  }

  async #seekCommitted(
    readers: readonly PartitionReader[],
    current: (reader: PartitionReader) => boolean
  ): Promise<void> {
    const { groupId, offsetReset, requestTimeoutMs: timeoutMs } = this.#config
    const asked = readers.filter(({ source }) => source === 'committed')
    if (asked.length === 0) return
    const partitions = asked.map(({ topic, partition }) => ({ topic, partition }))
    const committed =
      groupId === undefined ? new Map() : await fetchGroupOffsets(this.#context, { groupId, partitions, timeoutMs })
    for (const reader of asked.filter(current)) {
      const found = committed.get(partitionKey(reader.topic, reader.partition))
      if (found === undefined) reader.source = offsetReset
      else reader.position = found.offset
    }
  }

  async #seekByPolicy(
    readers: readonly PartitionReader[],
    current: (reader: PartitionReader) => boolean
  ): Promise<void> {
    const queries = readers.flatMap(({ topic, partition, source }) =>
      source === 'earliest' || source === 'latest' ? [{ topic, partition, at: source }] : []
    )
    const { isolation, requestTimeoutMs: timeoutMs } = this.#config
    const found = await listPartitionOffsets(this.#context, queries, { isolation, timeoutMs })
    for (const reader of readers.filter(current)) {
      const { topic, partition, source } = reader
      if (source === 'none') throw new OffsetOutOfRangeError({ topic, partition, offset: -1 })
      reader.position = found.get(partitionKey(topic, partition))?.offset
    }
  }
}

function failureOf(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  return new InvariantError('finding positions failed in a way that it should not', { cause: error })
}
