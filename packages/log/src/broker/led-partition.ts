import type { Partition } from '../partition/partition.ts'
import { protocolError } from '../wire/errors.ts'
import type { BrokerContext } from './handler.ts'

/**
 * The partition a request names, when this broker leads it.
 * @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER
 */
export function ledPartition(context: BrokerContext, topic: string, index: number): Partition {
  const partition = context.partitions.get(topic, index)
  if (partition !== undefined) return partition
  const known = context.topics.get(topic)?.partitions[index] !== undefined
  throw protocolError(known ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_TOPIC_OR_PARTITION', { topic, partition: index })
}

/**
 * Compares the leader epoch that a client knows with the partition's; -1 skips (KIP-320).
 * @throws ProtocolError FENCED_LEADER_EPOCH when the client's is older, UNKNOWN_LEADER_EPOCH when it is newer
 */
export function checkLeaderEpoch(partition: Partition, currentLeaderEpoch: number): void {
  if (currentLeaderEpoch === -1 || currentLeaderEpoch === partition.leaderEpoch) return
  const name = currentLeaderEpoch < partition.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
  throw protocolError(name, {
    topic: partition.topic,
    partition: partition.index,
    message: `the client knows leader epoch ${currentLeaderEpoch}, the partition is at ${partition.leaderEpoch}`
  })
}
