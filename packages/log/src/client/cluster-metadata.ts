import type { Environment } from '../environment/environment.ts'
import type { Transport } from '../transport/transport.ts'
import type { RequestOf, ResponseOf } from '../wire/api.ts'
import { ErrorCode, errorFromCode, isRetriable, ProtocolError } from '../wire/errors.ts'
import { metadata } from '../wire/messages/index.ts'
import { ZERO_UUID } from '../wire/schema.ts'
import { retry } from './backoff.ts'
import { UnknownTopicError } from './errors.ts'
import { isRetriableFailure } from './request-failure.ts'

/** One topic as the cluster last described it. */
export interface TopicMetadata {
  readonly name: string
  /** Base64url uuid; `ZERO_UUID` from a broker that has no topic ids. */
  readonly topicId: string
  /** By partition index. */
  readonly partitions: readonly PartitionMetadata[]
}

/** One partition's leader; `leader` is -1 while there is none. */
export interface PartitionMetadata {
  readonly index: number
  readonly leader: number
  readonly leaderEpoch: number
}

/**
 * What is known of topics and their leaders, asked for when missing and again when a broker's answer proves it stale. Reading is
 * synchronous; what is read may be out of date, which the broker then says.
 */
export class ClusterMetadata {
  readonly #transport: Transport
  readonly #environment: Environment
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #namesById = new Map<string, string>()
  readonly #stale = new Set<string>()
  /** One refresh of a set of topics is shared by all who ask for the same set while it runs. */
  readonly #refreshing = new Map<string, Promise<void>>()

  constructor(transport: Transport, environment: Environment) {
    this.#transport = transport
    this.#environment = environment
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** Name of the topic with this id, if it was met. */
  topicName(topicId: string): string | undefined {
    return this.#namesById.get(topicId)
  }

  /** The partition's last known leader; undefined when it is unknown or there is none. */
  leader(topic: string, partition: number): PartitionMetadata | undefined {
    if (this.#stale.has(topic)) return undefined
    const found = this.#topics.get(topic)?.partitions[partition]
    return found === undefined || found.leader < 0 ? undefined : found
  }

  /**
   * The topic, asked for until it is known.
   * @throws UnknownTopicError when brokers know no such topic for `timeoutMs`.
   */
  async require(
    name: string,
    options: { readonly create?: boolean; readonly timeoutMs: number }
  ): Promise<TopicMetadata> {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const policy = { what: `looking up topic '${name}'`, timeoutMs: options.timeoutMs, retriable: isRetriableFailure }
    try {
      return await retry(this.#environment, policy, async () => {
        await this.refresh([name], options.create === true)
        const found = this.#topics.get(name)
        if (found === undefined) throw new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: name })
        return found
      })
    } catch (error) {
      throw missing(name, error) ?? error
    }
  }

  /**
   * Asks a broker about topics. Those it does not know are forgotten, so that a topic that was deleted and made again gets its new id.
   * @throws ProtocolError for a topic name that can never be right, and what the transport throws.
   */
  refresh(names: readonly string[], create = false): Promise<void> {
    const key = `${create} ${[...names].sort().join(' ')}`
    const running = this.#refreshing.get(key)
    if (running !== undefined) return running
    const started = this.#ask(names, create).finally(() => this.#refreshing.delete(key))
    this.#refreshing.set(key, started)
    return started
  }

  /** All topics of the cluster, internal ones included; they are remembered too. */
  async listTopics(): Promise<readonly TopicMetadata[]> {
    const response = await this.#transport.send(metadata, metadataRequest(null, false))
    const listed = new Set(response.topics.map(({ name }) => name))
    for (const name of [...this.#topics.keys()]) if (!listed.has(name)) this.#forget(name)
    for (const topic of response.topics) this.#remember(topic)
    return [...this.#topics.values()]
  }

  /** Leaders of the topic are unknown until it is refreshed: a broker's answer has proved them out of date. */
  markStale(name: string): void {
    this.#stale.add(name)
  }

  #forget(name: string): void {
    this.#stale.delete(name)
    const known = this.#topics.get(name)
    if (known === undefined) return
    this.#topics.delete(name)
    this.#namesById.delete(known.topicId)
  }

  async #ask(names: readonly string[], create: boolean): Promise<void> {
    const response = await this.#transport.send(metadata, metadataRequest(names, create))
    let invalid: ProtocolError | undefined
    for (const topic of response.topics) {
      this.#remember(topic)
      if (topic.errorCode !== ErrorCode.NONE && !isRetriable(topic.errorCode)) {
        invalid = errorFromCode(topic.errorCode, { topic: topic.name ?? '' })
      }
    }
    if (invalid !== undefined) throw invalid
  }

  #remember(topic: ResponseOf<typeof metadata>['topics'][number]): void {
    if (topic.name === null) return
    if (topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) this.#forget(topic.name)
    if (topic.errorCode !== ErrorCode.NONE) return
    const partitions: PartitionMetadata[] = []
    for (const { partitionIndex, leaderId, leaderEpoch } of topic.partitions) {
      partitions[partitionIndex] = { index: partitionIndex, leader: leaderId, leaderEpoch }
    }
    this.#forget(topic.name)
    this.#topics.set(topic.name, { name: topic.name, topicId: topic.topicId, partitions })
    if (topic.topicId !== ZERO_UUID) this.#namesById.set(topic.topicId, topic.name)
  }
}

function metadataRequest(names: readonly string[] | null, create: boolean): RequestOf<typeof metadata> {
  return {
    topics: names === null ? null : names.map((name) => ({ topicId: ZERO_UUID, name })),
    allowAutoTopicCreation: create,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false
  }
}

/** Turns "not known until the time was over" into the error that says so. */
function missing(topic: string, error: unknown): UnknownTopicError | undefined {
  const last = error instanceof Error && error.cause instanceof ProtocolError ? error.cause : undefined
  if (last?.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION') return undefined
  return new UnknownTopicError(topic, undefined, { cause: error })
}
