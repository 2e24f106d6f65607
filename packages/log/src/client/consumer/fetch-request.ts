import type { RequestOf } from '../../wire/api.ts'
import type { fetch } from '../../wire/messages/index.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import type { ClusterMetadata } from '../cluster-metadata.ts'
import { isolationCode } from '../list-offsets.ts'
import { groupByTopic } from '../topic-partition.ts'
import type { ConsumerConfig } from './consumer-options.ts'
import type { PartitionReader } from './partition-reader.ts'

/** One partition of a request under way: what was asked, to judge the answer by. */
export interface AskedPartition {
  readonly topic: string
  readonly partition: number
  /** `ZERO_UUID` where brokers have no ids. */
  readonly topicId: string
  readonly reader: PartitionReader
  readonly position: number
  readonly version: number
}

/** A request without a session (KIP-227): brokers answer it from what it says alone. */
export function fetchRequest(
  asked: readonly AskedPartition[],
  config: ConsumerConfig,
  metadata: ClusterMetadata
): RequestOf<typeof fetch> {
  const topics = [...groupByTopic(asked)].map(([topic, entries]) => ({
    topic,
    topicId: entries[0]?.topicId ?? ZERO_UUID,
    partitions: entries.map(({ partition, position }) => ({
      partition,
      currentLeaderEpoch: metadata.leader(topic, partition)?.leaderEpoch ?? -1,
      fetchOffset: position,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: config.partitionMaxBytes,
      replicaDirectoryId: ZERO_UUID
    }))
  }))
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: config.fetchMaxWaitMs,
    minBytes: config.fetchMinBytes,
    maxBytes: config.fetchMaxBytes,
    isolationLevel: isolationCode(config.isolation),
    sessionId: 0,
    sessionEpoch: -1,
    topics,
    forgottenTopicsData: [],
    rackId: ''
  }
}
