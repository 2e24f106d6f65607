import type { RequestOf } from '../../wire/api.ts'
import { ErrorCode, errorFromCode } from '../../wire/errors.ts'
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  initProducerId,
  txnOffsetCommit
} from '../../wire/messages/index.ts'
import type { ClientContext } from '../client-context.ts'
import type { CoordinatorKind } from '../coordinator-directory.ts'
import type { GroupMetadata, GroupOffset } from '../group-offset.ts'
import { groupByTopic, type TopicPartition } from '../topic-partition.ts'
import type { ProducerConfig } from './producer-options.ts'
import type { ProducerIdentity } from './producer-session.ts'

/**
 * A coordinator that still finishes the previous transaction is asked again after 1 ms, then after up to Kafka's 20: in process it is done
 * at once.
 */
const backoff = { firstMs: 1, maxMs: 20 }
/** Highest versions of the first transaction protocol; a broker takes a client that uses higher ones for one of the second (KIP-890). */
const firstProtocol = { txnOffsetCommit: 4, endTxn: 4 } as const

/** Which transaction protocol is spoken: 2 adds partitions implicitly and gives every transaction an epoch of its own (KIP-890). */
export type TransactionProtocol = 1 | 2

/**
 * The requests of a transactional producer to its coordinators, each repeated until it succeeds, fails for good, or `deliveryTimeoutMs` are
 * over.
 * @throws ProtocolError with what went wrong, ClientTimeoutError when time is over.
 */
export class TransactionRequests {
  readonly #context: ClientContext
  readonly #config: ProducerConfig
  readonly #transactionalId: string
  readonly #lane: string

  constructor(context: ClientContext, config: ProducerConfig, transactionalId: string) {
    this.#context = context
    this.#config = config
    this.#transactionalId = transactionalId
    this.#lane = context.newLane('transaction')
  }

  /** A new epoch. Without `current` whoever had the id is fenced and its transaction aborted; with it only its owner gets one (KIP-360). */
  async initialize(current?: ProducerIdentity): Promise<ProducerIdentity> {
    const request = {
      transactionalId: this.#transactionalId,
      transactionTimeoutMs: this.#config.transactionTimeoutMs,
      producerId: current?.producerId ?? -1,
      producerEpoch: current?.producerEpoch ?? -1
    }
    const { producerId, producerEpoch } = await this.#ask('initializing transactions', (options) =>
      this.#context.transport.send(initProducerId, request, options)
    )
    return { producerId, producerEpoch }
  }

  /** First protocol only. */
  async addPartitions(identity: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<void> {
    const topics = [...groupByTopic(partitions)].map(([name, entries]) => ({
      name,
      partitions: entries.map(({ partition }) => partition)
    }))
    const request: RequestOf<typeof addPartitionsToTxn> = {
      transactions: [],
      v3AndBelowTransactionalId: this.#transactionalId,
      v3AndBelowProducerId: identity.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch,
      v3AndBelowTopics: topics
    }
    await this.#call(
      { kind: 'transaction', key: this.#transactionalId, what: 'adding partitions to the transaction' },
      async (options) => {
        const response = await this.#context.transport.send(addPartitionsToTxn, request, options)
        const results = response.resultsByTopicV3AndBelow.flatMap((topic) =>
          topic.resultsByPartition.map((result) => ({ topic: topic.name, ...result }))
        )
        // The others are answered OPERATION_NOT_ATTEMPTED when one fails.
        const failed = results
          .filter(({ partitionErrorCode }) => partitionErrorCode !== ErrorCode.NONE)
          .find(({ partitionErrorCode }) => partitionErrorCode !== ErrorCode.OPERATION_NOT_ATTEMPTED)
        if (failed === undefined) return
        throw errorFromCode(failed.partitionErrorCode, { topic: failed.topic, partition: failed.partitionIndex })
      }
    )
  }

  /** First protocol only. */
  async addOffsets(identity: ProducerIdentity, groupId: string): Promise<void> {
    const request = { transactionalId: this.#transactionalId, ...identity, groupId }
    await this.#ask('adding offsets to the transaction', (options) =>
      this.#context.transport.send(addOffsetsToTxn, request, options)
    )
  }

  /** All offsets in one request to the group's coordinator, fenced by the group's generation. */
  async commitOffsets(
    identity: ProducerIdentity,
    protocol: TransactionProtocol,
    commit: { readonly offsets: readonly GroupOffset[]; readonly group: GroupMetadata }
  ): Promise<void> {
    const request = offsetRequest(this.#transactionalId, identity, commit)
    const bound = protocol === 1 ? { maxVersion: firstProtocol.txnOffsetCommit } : {}
    await this.#call(
      { kind: 'group', key: commit.group.groupId, what: 'committing offsets in the transaction' },
      async (options) => {
        const response = await this.#context.transport.send(txnOffsetCommit, request, { ...options, ...bound })
        for (const { name, partitions } of response.topics) {
          for (const { partitionIndex, errorCode } of partitions) {
            if (errorCode !== ErrorCode.NONE) throw errorFromCode(errorCode, { topic: name, partition: partitionIndex })
          }
        }
      }
    )
  }

  /** Ends the transaction; resolves with whom the producer is from then on. Asked again with the same epoch, it is done once. */
  async end(identity: ProducerIdentity, protocol: TransactionProtocol, committed: boolean): Promise<ProducerIdentity> {
    const request = { transactionalId: this.#transactionalId, ...identity, committed }
    const bound = protocol === 1 ? { maxVersion: firstProtocol.endTxn } : {}
    const what = committed ? 'committing the transaction' : 'aborting the transaction'
    const { producerId, producerEpoch } = await this.#ask(what, (options) =>
      this.#context.transport.send(endTxn, request, { ...options, ...bound })
    )
    return producerId < 0 ? identity : { producerId, producerEpoch }
  }

  /** One request to the transaction coordinator whose answer is one error code. */
  #ask<T extends { readonly errorCode: number }>(what: string, send: (options: NodeOptions) => Promise<T>): Promise<T> {
    return this.#call({ kind: 'transaction', key: this.#transactionalId, what }, async (options) => {
      const response = await send(options)
      if (response.errorCode !== ErrorCode.NONE) throw errorFromCode(response.errorCode)
      return response
    })
  }

  #call<T>({ kind, key, what }: Coordination, send: (options: NodeOptions) => Promise<T>): Promise<T> {
    return this.#context.coordinators.call({
      kind,
      key,
      what: `${what} of '${this.#transactionalId}'`,
      timeoutMs: this.#config.deliveryTimeoutMs,
      backoff,
      send: (node) => send({ node, lane: this.#lane })
    })
  }
}

interface Coordination {
  readonly kind: CoordinatorKind
  readonly key: string
  readonly what: string
}

interface NodeOptions {
  readonly node: number
  readonly lane: string
}

function offsetRequest(
  transactionalId: string,
  identity: ProducerIdentity,
  { offsets, group }: { readonly offsets: readonly GroupOffset[]; readonly group: GroupMetadata }
): RequestOf<typeof txnOffsetCommit> {
  const topics = [...groupByTopic(offsets)].map(([name, entries]) => ({
    name,
    partitions: entries.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? ''
    }))
  }))
  const { groupId, generationId, memberId, groupInstanceId } = group
  return {
    transactionalId,
    groupId,
    ...identity,
    generationId,
    memberId,
    groupInstanceId: groupInstanceId ?? null,
    topics
  }
}
