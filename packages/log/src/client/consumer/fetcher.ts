import { InvariantError, MillraceError } from '../../errors.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { ErrorCode, errorFromCode, isRetriable, type ProtocolError } from '../../wire/errors.ts'
import { fetch } from '../../wire/messages/index.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import { backoffMs } from '../backoff.ts'
import type { ClientContext } from '../client-context.ts'
import { LeaderSearch } from '../leader-search.ts'
import { isRetriableFailure } from '../request-failure.ts'
import { readAnswer } from './committed-reader.ts'
import type { ConsumerConfig, FetchedPartition } from './consumer-options.ts'
import { type AskedPartition, fetchRequest } from './fetch-request.ts'
import type { PartitionReader } from './partition-reader.ts'

/** What a fetcher reports. */
export interface FetchListener {
  /** Something may be handed over now, or asked for. */
  advanced(): void
  /** The position lies outside of the partition. */
  outOfRange(reader: PartitionReader): void
  /** Fetching a partition cannot go on without the caller's decision. */
  failed(error: MillraceError): void
}

/** What a fetcher works with. */
export interface FetcherParts {
  readonly context: ClientContext
  readonly config: ConsumerConfig
  readonly listener: FetchListener
}

/**
 * Requests to one broker that may be held there at the same time. The second one is for partitions that become ready while the first is held
 * for others, so that nothing waits for somebody else's long poll.
 */
const LANES_PER_NODE = 3
const backoff = { firstMs: 20, maxMs: 1_000 }

type PartitionAnswer = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

/** Fetches ahead, one answer a partition, from wherever the readers stand. It never waits: `fetch` asks for what is not asked for yet. */
export class Fetcher {
  readonly #parts: FetcherParts
  readonly #leaders: LeaderSearch
  readonly #lane: string
  /** By broker, which of its lanes are in use. */
  readonly #lanes = new Map<number, boolean[]>()
  #wakeAtMs = Number.POSITIVE_INFINITY
  #closed = false

  constructor(parts: FetcherParts) {
    this.#parts = parts
    this.#lane = parts.context.newLane('fetch')
    this.#leaders = new LeaderSearch(parts.context, {
      create: false,
      searched: () => parts.listener.advanced(),
      refused: (_topic, error) => parts.listener.failed(error)
    })
  }

  /** What was fetched for the readers that are not paused; their positions move behind it. */
  collect(readers: Iterable<PartitionReader>): FetchedPartition[] {
    const collected: FetchedPartition[] = []
    for (const reader of readers) {
      const fetched = reader.paused ? undefined : reader.take()
      if (fetched !== undefined) collected.push(fetched)
    }
    return collected
  }

  /** Asks for everything that is wanted, not there, and not asked for yet. */
  fetch(readers: Iterable<PartitionReader>): void {
    const nowMs = this.#parts.context.environment.clock.monotonicMs()
    const byNode = new Map<number, AskedPartition[]>()
    let aheadBytes = 0
    for (const reader of readers) {
      aheadBytes += reader.fetchedBytes
      const asked = this.#wanted(reader, nowMs)
      const node = asked === undefined ? undefined : this.#leaders.find(reader.topic, reader.partition, nowMs)
      if (asked !== undefined && node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), asked])
    }
    this.#wakeAt(this.#leaders.retryAtMs(nowMs), nowMs)
    if (aheadBytes >= this.#parts.config.fetchMaxBytes || this.#closed) return
    for (const [node, asked] of byNode) {
      const lane = this.#freeLane(node)
      if (lane !== undefined) void this.#send(node, lane, asked)
    }
  }

  close(): void {
    this.#closed = true
  }

  #wanted(reader: PartitionReader, nowMs: number): AskedPartition | undefined {
    const { topic, partition, position, version } = reader
    if (position === undefined || reader.paused || reader.fetching === version || reader.fetched !== undefined)
      return undefined
    if (nowMs >= reader.notBeforeMs) {
      const topicId = this.#parts.context.metadata.topic(topic)?.topicId ?? ZERO_UUID
      return { topic, partition, topicId, reader, position, version }
    }
    this.#wakeAt(reader.notBeforeMs, nowMs)
    return undefined
  }

  async #send(node: number, lane: number, asked: readonly AskedPartition[]): Promise<void> {
    const { context, config, listener } = this.#parts
    this.#use(node, lane, true)
    for (const { reader, version } of asked) reader.fetching = version
    const timeoutMs = config.fetchMaxWaitMs + config.requestTimeoutMs
    const request = fetchRequest(asked, config, context.metadata)
    try {
      const response = await context.transport.send(fetch, request, { node, lane: `${this.#lane}-${lane}`, timeoutMs })
      if (response.errorCode !== ErrorCode.NONE) throw errorFromCode(response.errorCode)
      for (const part of asked) this.#answered(part, answerFor(response, part))
    } catch (error) {
      this.#lost(asked, error)
    }
    for (const { reader, version } of asked) if (reader.fetching === version) reader.fetching = undefined
    this.#use(node, lane, false)
    if (!this.#closed) listener.advanced()
  }

  #answered(asked: AskedPartition, answer: PartitionAnswer | undefined): void {
    const { reader } = asked
    if (reader.version !== asked.version || answer === undefined) return
    if (answer.errorCode === ErrorCode.NONE) {
      reader.failures = 0
      this.#take(asked, answer)
      return
    }
    if (answer.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) this.#parts.listener.outOfRange(reader)
    else this.#failed(asked, errorFromCode(answer.errorCode, { ...asked, offset: asked.position }))
  }

  #take(asked: AskedPartition, answer: PartitionAnswer): void {
    const { topic, partition, position, reader } = asked
    const topicId = asked.topicId === ZERO_UUID ? undefined : asked.topicId
    const { isolation, checkCrcs } = this.#parts.config
    const abortedTransactions = isolation === 'read_committed' ? answer.abortedTransactions : null
    const chunks = answer.records ?? []
    const read = readAnswer(asked, { chunks, abortedTransactions }, { position, checkCrcs })
    if (read.nextOffset === position) return
    const { batches, nextOffset, sizeBytes } = read
    const { highWatermark } = answer
    const lastStableOffset = answer.lastStableOffset < 0 ? highWatermark : answer.lastStableOffset
    reader.fetched = { topic, partition, topicId, batches, position, nextOffset, highWatermark, lastStableOffset }
    reader.fetchedBytes = sizeBytes
  }

  #failed({ reader }: AskedPartition, error: ProtocolError): void {
    const { environment, metadata } = this.#parts.context
    reader.failures++
    reader.notBeforeMs = environment.clock.monotonicMs() + backoffMs(reader.failures, backoff)
    metadata.markStale(reader.topic)
    if (!isRetriable(error.errorCode)) this.#parts.listener.failed(error)
  }

  #lost(asked: readonly AskedPartition[], error: unknown): void {
    const { environment, metadata } = this.#parts.context
    if (!isRetriableFailure(error)) this.#parts.listener.failed(failureOf(error))
    for (const { reader, version } of asked) {
      if (reader.version !== version) continue
      reader.failures++
      reader.notBeforeMs = environment.clock.monotonicMs() + backoffMs(reader.failures, backoff)
      metadata.markStale(reader.topic)
    }
  }

  #freeLane(node: number): number | undefined {
    const lanes = this.#lanes.get(node) ?? []
    for (let lane = 0; lane < LANES_PER_NODE; lane++) if (lanes[lane] !== true) return lane
    return undefined
  }

  #use(node: number, lane: number, inUse: boolean): void {
    const lanes = this.#lanes.get(node) ?? []
    lanes[lane] = inUse
    this.#lanes.set(node, lanes)
  }

  /** Has the listener called at a time, when nothing else does it before. */
  #wakeAt(atMs: number, nowMs: number): void {
    if (atMs >= this.#wakeAtMs || atMs === Number.POSITIVE_INFINITY || this.#closed) return
    this.#wakeAtMs = atMs
    const wake = () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      if (!this.#closed) this.#parts.listener.advanced()
    }
    this.#parts.context.environment.timers.set(Math.max(0, Math.ceil(atMs - nowMs)), wake, { background: true })
  }
}

/** The answer about one partition: by id where the request's version has ids, by name before. */
function answerFor(
  response: ResponseOf<typeof fetch>,
  { topic, topicId, partition }: AskedPartition
): PartitionAnswer | undefined {
  const found = response.responses.find((answered) =>
    answered.topic === '' ? answered.topicId === topicId : answered.topic === topic
  )
  return found?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
}

function failureOf(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  return new InvariantError('a fetch failed in a way that no fetch should', { cause: error })
}
