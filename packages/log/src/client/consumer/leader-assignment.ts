import type { ResponseOf } from '../../wire/api.ts'
import { decodeSubscription, encodeAssignment } from '../../wire/consumer-protocol.ts'
import type { joinGroup } from '../../wire/messages/index.ts'
import { groupByTopic, partitionKey, type TopicPartition } from '../topic-partition.ts'
import type { AssignableMember, Assignor, MemberAssignment } from './assignor.ts'

/** One member's assignment, encoded for SyncGroup. */
export interface EncodedAssignment {
  readonly memberId: string
  readonly assignment: Buffer
}

/** A member as the leader reads it from the answer to its join. */
export interface JoinedMember extends AssignableMember {
  /** In which generation it came to own what it says; -1 when it says nothing. */
  readonly generationId: number
}

/** The members of a generation, which only its leader is told. @throws DecodeError when one's subscription is none. */
export function joinedMembers(joined: ResponseOf<typeof joinGroup>): JoinedMember[] {
  return joined.members.map(({ memberId, groupInstanceId, metadata }) => {
    const { topics, userData, ownedPartitions, generationId } = decodeSubscription(metadata)
    return {
      memberId,
      groupInstanceId: groupInstanceId ?? undefined,
      topics,
      userData,
      ownedPartitions: unpackPartitions(ownedPartitions),
      generationId
    }
  })
}

/** Has the assignor decide, and encodes what each member gets. Members that it leaves out get nothing. */
export function assignAsLeader(
  assignor: Assignor,
  members: readonly JoinedMember[],
  partitionCounts: ReadonlyMap<string, number>
): EncodedAssignment[] {
  const decided = assignor.assign(members, partitionCounts)
  const owners = assignor.protocol === 'cooperative' ? ownersOf(members) : new Map<string, string>()
  return members.map(({ memberId }) => {
    const { partitions, userData }: MemberAssignment = decided.get(memberId) ?? { partitions: [] }
    const free = partitions.filter(({ topic, partition }) => {
      const owner = owners.get(partitionKey(topic, partition))
      return owner === undefined || owner === memberId
    })
    const assignedPartitions = packPartitions(free)
    return { memberId, assignment: encodeAssignment({ assignedPartitions, userData: userData ?? null }) }
  })
}

/** Who holds which partition. Of two that claim one, the member of the later generation is right: the other has missed a rebalance. */
function ownersOf(members: readonly JoinedMember[]): Map<string, string> {
  const owners = new Map<string, string>()
  for (const { memberId, ownedPartitions } of [...members].sort((a, b) => a.generationId - b.generationId)) {
    for (const { topic, partition } of ownedPartitions) owners.set(partitionKey(topic, partition), memberId)
  }
  return owners
}

/** Partitions as the consumer protocol writes them: by topic. */
export interface PackedTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** Partitions by topic. */
export function packPartitions(partitions: readonly TopicPartition[]): PackedTopic[] {
  return [...groupByTopic(partitions)].map(([topic, entries]) => ({
    topic,
    partitions: entries.map(({ partition }) => partition)
  }))
}

/** The partitions of such topics, one by one. */
export function unpackPartitions(topics: readonly PackedTopic[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
}
