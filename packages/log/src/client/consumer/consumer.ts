import { Wakeup } from '../../environment/wakeup.ts'
import { type MillraceError, UsageError } from '../../errors.ts'
import type { ClientContext } from '../client-context.ts'
import { OffsetOutOfRangeError } from '../errors.ts'
import type { CommittedOffset, GroupMetadata, GroupOffset } from '../group-offset.ts'
import { commitGroupOffsets, fetchGroupOffsets } from '../group-offsets.ts'
import { type IsolationLevel, type ListedOffset, listPartitionOffsets, type OffsetQuery } from '../list-offsets.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import { type ConsumerConfig, type ConsumerOptions, consumerConfig, type FetchedPartition } from './consumer-options.ts'
import { Fetcher } from './fetcher.ts'
import { GroupMembership, type SubscribeOptions } from './group-membership.ts'
import { PartitionReader } from './partition-reader.ts'
import { PositionFinder } from './position-finder.ts'

/**
 * Reads partitions: those it is given (`assign`), or its share of a group's (`subscribe`). `poll` hands over whole batches; it fetches ahead, at most one
 * answer a partition. One call of `poll` at a time; rebalance callbacks run inside it, and heartbeats go on between calls.
 */
export class Consumer {
  readonly #context: ClientContext
  readonly #config: ConsumerConfig
  readonly #readers = new Map<string, PartitionReader>()
  readonly #wakeup: Wakeup
  readonly #fetcher: Fetcher
  readonly #positions: PositionFinder
  #membership: GroupMembership | undefined
  #failure: MillraceError | undefined
  #polling = false
  #woken = false
  #closed = false

  /** @throws UsageError for an option out of range. */
  constructor(context: ClientContext, options: ConsumerOptions = {}) {
    const config = consumerConfig(options)
    this.#context = context
    this.#config = config
    this.#wakeup = new Wakeup(context.environment)
    const advanced = () => this.#wakeup.signal()
    const failed = (error: MillraceError) => this.#fail(error)
    const outOfRange = (reader: PartitionReader) => this.#outOfRange(reader)
    this.#fetcher = new Fetcher({ context, config, listener: { advanced, failed, outOfRange } })
    this.#positions = new PositionFinder(context, config, { advanced, failed })
  }

  /**
   * Reads exactly these partitions; those it read already go on where they are. Others begin at the group's committed position, or where
   * `offsetReset` says. @throws UsageError after `subscribe`.
   */
  assign(partitions: readonly TopicPartition[]): void {
    this.#requireOpen('assign')
    if (this.#membership !== undefined) throw new UsageError('assign() after subscribe(): use another consumer')
    this.#replaceReaders(partitions)
  }

  /**
   * Joins the group and reads its share of the topics. The callbacks run inside `poll`, and the group waits for their promises.
   * @throws UsageError without a `groupId`, after `assign`, or a second time.
   */
  subscribe(topics: readonly string[], options: SubscribeOptions = {}): void {
    this.#requireOpen('subscribe')
    const { groupId } = this.#config
    if (groupId === undefined) throw new UsageError('subscribe() needs a groupId: set it in the consumer options')
    if (this.#membership !== undefined || this.#readers.size > 0) {
      throw new UsageError('subscribe() on a consumer that has partitions already: use another consumer')
    }
    this.#membership = new GroupMembership({
      context: this.#context,
      config: { ...this.#config, groupId },
      topics,
      options,
      holder: {
        held: () => this.assignment(),
        hold: (partitions) => this.#replaceReaders(partitions),
        advanced: () => this.#wakeup.signal()
      }
    })
  }

  /** Reads its share of other topics than it subscribed to: the next poll joins the group anew. @throws UsageError before `subscribe`. */
  resubscribe(topics: readonly string[]): void {
    this.#requireOpen('resubscribe')
    if (this.#membership === undefined) throw new UsageError('resubscribe() without subscribe(): subscribe first')
    this.#membership.wantTopics(topics)
  }

  /**
   * Resolves as soon as there is something, at the latest after `timeoutMs`. A partition comes at most once. Positions move behind what is returned.
   * @throws OffsetOutOfRangeError, CorruptBatchError, UnknownTopicError, GroupMembershipError; what a callback throws.
   */
  async poll(timeoutMs: number): Promise<readonly FetchedPartition[]> {
    this.#requireOpen('poll')
    if (this.#polling) throw new UsageError('poll() while another poll() is under way: await it first')
    this.#polling = true
    try {
      return await this.#pollUntil(this.#nowMs() + timeoutMs)
    } finally {
      this.#polling = false
    }
  }

  /** The poll that waits, or else the next one, returns at once with what there is. */
  wakeup(): void {
    this.#woken = true
    this.#wakeup.signal()
  }

  /** Goes on at `offset` in the partition; what was fetched ahead is dropped. @throws UsageError unless it is assigned. */
  seek(partition: TopicPartition, offset: number): void {
    if (!(offset >= 0)) throw new UsageError(`seek() to offset ${offset}: offsets are not negative`)
    this.#reader(partition).seek(offset)
    this.#failure = undefined
    this.#wakeup.signal()
  }

  /** Polls return nothing of these partitions until `resume`. Partitions not assigned are ignored. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true)
  }

  /** Undoes `pause`. */
  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false)
    this.#wakeup.signal()
  }

  /** Offset of what the next poll returns of the partition; -1 while it is not known yet. @throws UsageError unless it is assigned. */
  position(partition: TopicPartition): number {
    return this.#reader(partition).position ?? -1
  }

  /** The partitions that it reads now. */
  assignment(): TopicPartition[] {
    return [...this.#readers.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** The group's positions by `topic-partition`, those without one left out. Waits for open transactions with such positions to end. */
  committed(partitions: readonly TopicPartition[]): Promise<Map<string, CommittedOffset>> {
    const timeoutMs = this.#config.requestTimeoutMs
    return fetchGroupOffsets(this.#context, { groupId: this.#requireGroup('committed'), partitions, timeoutMs })
  }

  /**
   * Commits positions as this member of this generation.
   * @throws CommitRefusedError when the group has moved on: drop the work in hand and poll.
   */
  commit(offsets: readonly GroupOffset[]): Promise<void> {
    this.#requireGroup('commit')
    const timeoutMs = this.#config.requestTimeoutMs
    return commitGroupOffsets(this.#context, { offsets, group: this.groupMetadata(), timeoutMs })
  }

  /** Who this consumer is in its group now, for `sendOffsetsToTransaction`. */
  groupMetadata(): GroupMetadata {
    const groupId = this.#requireGroup('groupMetadata')
    const { groupInstanceId } = this.#config
    const member = this.#membership?.member() ?? { generationId: -1, memberId: '' }
    return { groupId, ...member, ...(groupInstanceId === undefined ? {} : { groupInstanceId }) }
  }

  /** First offsets that still exist, by `topic-partition`. */
  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#offsetsAt(partitions, 'earliest', this.#config.isolation)
  }

  /** Ends: under `read_committed` the last stable offset, else the high watermark. Default the consumer's own isolation. */
  async endOffsets(
    partitions: readonly TopicPartition[],
    isolation: IsolationLevel = this.#config.isolation
  ): Promise<Map<string, number>> {
    return this.#offsetsAt(partitions, 'latest', isolation)
  }

  /** The first record at or after each time; `offset` -1 when there is none. */
  offsetsForTimes(
    queries: readonly (TopicPartition & { readonly timestampMs: number })[]
  ): Promise<Map<string, ListedOffset>> {
    const at = queries.map(({ topic, partition, timestampMs }) => ({ topic, partition, at: { timestampMs } }))
    return this.#list(at, this.#config.isolation)
  }

  /** Gives up its partitions, leaves the group (a static member stays in it), and lets go. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#fetcher.close()
    await this.#membership?.close()
    this.#readers.clear()
    this.#wakeup.signal()
  }

  async #pollUntil(deadlineMs: number): Promise<readonly FetchedPartition[]> {
    for (;;) {
      this.#throwFailure()
      await this.#membership?.advance()
      this.#positions.find(this.#readers.values())
      const collected = this.#fetcher.collect(this.#readers.values())
      // Asked before returning, so that the next answers come in while these are worked on.
      this.#fetcher.fetch(this.#readers.values())
      const leftMs = deadlineMs - this.#nowMs()
      const woken = this.#woken
      this.#woken = false
      if (collected.length > 0 || this.#closed || woken) return collected
      await this.#wakeup.wait(Math.max(0, Math.ceil(leftMs)))
      if (leftMs <= 0) return this.#fetcher.collect(this.#readers.values())
    }
  }

  async #offsetsAt(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest',
    isolation: IsolationLevel
  ): Promise<Map<string, number>> {
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, at }))
    const listed = await this.#list(queries, isolation)
    return new Map([...listed].map(([key, { offset }]) => [key, offset]))
  }

  #list(queries: readonly OffsetQuery[], isolation: IsolationLevel): Promise<Map<string, ListedOffset>> {
    return listPartitionOffsets(this.#context, queries, { isolation, timeoutMs: this.#config.requestTimeoutMs })
  }

  #replaceReaders(partitions: readonly TopicPartition[]): void {
    const before = new Map(this.#readers)
    this.#readers.clear()
    for (const place of partitions) {
      const key = partitionKey(place.topic, place.partition)
      const source = this.#config.groupId === undefined ? this.#config.offsetReset : 'committed'
      this.#readers.set(key, before.get(key) ?? new PartitionReader(place, source))
    }
    this.#wakeup.signal()
  }

  #outOfRange(reader: PartitionReader): void {
    const { topic, partition, position } = reader
    const { offsetReset } = this.#config
    if (offsetReset === 'none') this.#fail(new OffsetOutOfRangeError({ topic, partition, offset: position ?? -1 }))
    else reader.reset(offsetReset)
  }

  #fail(error: MillraceError): void {
    this.#failure ??= error
    this.#wakeup.signal()
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  #setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const { topic, partition } of partitions) {
      const reader = this.#readers.get(partitionKey(topic, partition))
      if (reader !== undefined) reader.paused = paused
    }
  }

  #reader({ topic, partition }: TopicPartition): PartitionReader {
    const reader = this.#readers.get(partitionKey(topic, partition))
    if (reader === undefined) throw new UsageError(`${topic}-${partition} is not assigned to this consumer`)
    return reader
  }

  #requireGroup(method: string): string {
    const { groupId } = this.#config
    if (groupId === undefined) throw new UsageError(`${method}() needs a groupId: set it in the consumer options`)
    return groupId
  }

  #requireOpen(method: string): void {
    if (this.#closed) throw new UsageError(`${method}() on a closed consumer: make a new one`)
  }

  #nowMs(): number {
    return this.#context.environment.clock.monotonicMs()
  }
}
