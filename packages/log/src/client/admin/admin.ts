import { ErrorCode, errorFromCode } from '../../wire/errors.ts'
import { describeCluster } from '../../wire/messages/index.ts'
import { retry } from '../backoff.ts'
import type { ClientContext } from '../client-context.ts'
import type { TopicMetadata } from '../cluster-metadata.ts'
import { UnknownTopicError } from '../errors.ts'
import type { CommittedOffset } from '../group-offset.ts'
import { fetchGroupOffsets } from '../group-offsets.ts'
import { type IsolationLevel, type ListedOffset, listPartitionOffsets, type OffsetQuery } from '../list-offsets.ts'
import { isRetriableFailure } from '../request-failure.ts'
import { type ConfigEntry, type ConfigResource, describeResource } from './config-admin.ts'
import { describeGroup, type GroupDescription } from './group-admin.ts'
import { type DeletionPoint, deleteRecordsBefore } from './record-admin.ts'
import {
  createTopicsOnce,
  deleteTopicsOnce,
  ensureTopicExists,
  type TopicOutcome,
  type TopicToCreate
} from './topic-admin.ts'

/** Options of an admin. */
export interface AdminOptions {
  /** How long one call may try. Default 60,000. */
  readonly timeoutMs?: number
}

/** The cluster and its brokers. */
export interface ClusterDescription {
  /** Base64url uuid. */
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly { readonly brokerId: number; readonly host: string; readonly port: number }[]
}

/** Topics, configurations, offsets and the cluster. Calls repeat what a broker answers with a passing error; ClientTimeoutError ends that. */
export class Admin {
  readonly #context: ClientContext
  readonly #timeoutMs: number

  constructor(context: ClientContext, options: AdminOptions = {}) {
    this.#context = context
    this.#timeoutMs = options.timeoutMs ?? 60_000
  }

  /** Creates topics, each on its own; the outcomes say what became of each (TopicExistsError, ProtocolError). */
  createTopics(topics: readonly TopicToCreate[]): Promise<TopicOutcome[]> {
    return this.#retry('creating topics', () => createTopicsOnce(this.#context, topics, this.#timeoutMs))
  }

  /** Makes sure that the topic is there, with a leader for each partition; one that exists is left as it is, whatever its partitions. */
  ensureTopic(topic: TopicToCreate): Promise<TopicMetadata> {
    return ensureTopicExists(this.#context, topic, this.#timeoutMs)
  }

  /** Deletes topics, each on its own; the outcomes say what became of each (UnknownTopicError, ProtocolError). */
  deleteTopics(names: readonly string[]): Promise<TopicOutcome[]> {
    return this.#retry('deleting topics', () => deleteTopicsOnce(this.#context, names, this.#timeoutMs))
  }

  /** The topics as the cluster has them now, by name. @throws UnknownTopicError for one that does not exist. */
  async describeTopics(names: readonly string[]): Promise<Map<string, TopicMetadata>> {
    const { metadata } = this.#context
    await this.#retry('describing topics', () => metadata.refresh(names))
    return new Map(
      names.map((name) => {
        const topic = metadata.topic(name)
        if (topic === undefined) throw new UnknownTopicError(name)
        return [name, topic]
      })
    )
  }

  /** All topics, the coordinators' own included. */
  listTopics(): Promise<readonly TopicMetadata[]> {
    return this.#retry('listing topics', () => this.#context.metadata.listTopics())
  }

  /** All configurations of a topic or a broker, by name. @throws UnknownTopicError */
  describeConfigs(resource: ConfigResource): Promise<Map<string, ConfigEntry>> {
    const what = `describing configurations of ${resource.type} '${resource.name}'`
    return this.#retry(what, () => describeResource(this.#context, resource, this.#timeoutMs))
  }

  /** Deletes records before an offset; resolves with the partitions' new first offsets by `topic-partition`. */
  deleteRecords(points: readonly DeletionPoint[]): Promise<Map<string, number>> {
    return deleteRecordsBefore(this.#context, points, this.#timeoutMs)
  }

  /** First offsets, ends, or offsets for times, by `topic-partition`. Ends are high watermarks unless `read_committed` is asked for. */
  listOffsets(
    queries: readonly OffsetQuery[],
    isolation: IsolationLevel = 'read_uncommitted'
  ): Promise<Map<string, ListedOffset>> {
    return listPartitionOffsets(this.#context, queries, { isolation, timeoutMs: this.#timeoutMs })
  }

  /** All positions of a group, stable ones only, by `topic-partition`. */
  listGroupOffsets(groupId: string): Promise<Map<string, CommittedOffset>> {
    return fetchGroupOffsets(this.#context, { groupId, timeoutMs: this.#timeoutMs })
  }

  /** State and members of a group; one that does not exist is `Dead` and has none. */
  describeGroup(groupId: string): Promise<GroupDescription> {
    return describeGroup(this.#context, groupId, this.#timeoutMs)
  }

  describeCluster(): Promise<ClusterDescription> {
    return this.#retry('describing the cluster', async () => {
      const request = { includeClusterAuthorizedOperations: false, endpointType: 1 }
      const response = await this.#context.transport.send(describeCluster, request)
      if (response.errorCode !== ErrorCode.NONE) throw errorFromCode(response.errorCode)
      const { clusterId, controllerId, brokers } = response
      return { clusterId, controllerId, brokers: brokers.map(({ brokerId, host, port }) => ({ brokerId, host, port })) }
    })
  }

  /** Holds nothing of its own: the log's connections stay open until the log is closed. */
  close(): Promise<void> {
    return Promise.resolve()
  }

  #retry<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const policy = { what, timeoutMs: this.#timeoutMs, retriable: isRetriableFailure }
    return retry(this.#context.environment, policy, attempt)
  }
}
