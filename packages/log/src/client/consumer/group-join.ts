import type { ResponseOf } from '../../wire/api.ts'
import { decodeAssignment, encodeSubscription } from '../../wire/consumer-protocol.ts'
import { ErrorCode, errorFromCode } from '../../wire/errors.ts'
import type { joinGroup } from '../../wire/messages/index.ts'
import type { ClusterMetadata } from '../cluster-metadata.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { Assignor } from './assignor.ts'
import type { GroupMember, GroupProtocol, GroupRequests } from './group-requests.ts'
import {
  assignAsLeader,
  type EncodedAssignment,
  joinedMembers,
  packPartitions,
  unpackPartitions
} from './leader-assignment.ts'

/** What a member brings into a rebalance. */
export interface Joining extends GroupMember {
  readonly topics: readonly string[]
  readonly assignor: Assignor
  /** What it still holds; nothing under the eager protocol. */
  readonly held: readonly TopicPartition[]
}

/** A member of a generation, and what it is to read. */
export interface Joined {
  readonly member: GroupMember
  readonly partitions: readonly TopicPartition[]
  readonly userData: Buffer | null
  /** By topic, what the leader based its decision on; undefined for all other members. */
  readonly partitionCounts: ReadonlyMap<string, number> | undefined
}

/** What a join works with. `memberIdGiven` is told at once, so that the member can leave whatever happens to the join. */
export interface JoinParts {
  readonly requests: GroupRequests
  readonly metadata: ClusterMetadata
  memberIdGiven(memberId: string): void
}

/**
 * Joins the group's next generation: JoinGroup, the assignment if this member is made the leader, SyncGroup.
 * @throws ProtocolError and what the transport throws; one attempt.
 */
export async function joinGeneration(parts: JoinParts, joining: Joining): Promise<Joined> {
  const { topics, assignor, held, generationId } = joining
  const userData = assignor.userData?.() ?? null
  const ownedPartitions = packPartitions(held)
  const metadata = encodeSubscription({ topics: [...topics], userData, ownedPartitions, generationId, rackId: null })
  const answer = await join(parts, joining.memberId, { name: assignor.name, metadata })
  const member = { memberId: answer.memberId, generationId: answer.generationId }
  let assignments: readonly EncodedAssignment[] = []
  let partitionCounts: Map<string, number> | undefined
  if (answer.leader === answer.memberId) {
    const members = joinedMembers(answer)
    partitionCounts = await countPartitions(parts.metadata, new Set(members.flatMap((each) => each.topics)))
    // A static leader that comes back finds the assignment still in force (KIP-814).
    if (!answer.skipAssignment) assignments = assignAsLeader(assignor, members, partitionCounts)
  }
  const assigned = decodeAssignment(await parts.requests.sync(member, assignor.name, assignments))
  return {
    member,
    partitions: unpackPartitions(assigned.assignedPartitions),
    userData: assigned.userData,
    partitionCounts
  }
}

/** Partitions of each topic that exists, as brokers say now. */
export async function countPartitions(
  metadata: ClusterMetadata,
  topics: ReadonlySet<string>
): Promise<Map<string, number>> {
  await metadata.refresh([...topics])
  const counts = new Map<string, number>()
  for (const name of topics) {
    const count = metadata.topic(name)?.partitions.length
    if (count !== undefined) counts.set(name, count)
  }
  return counts
}

/** A new member is first given an id and has to come back with it (KIP-394). */
async function join(
  { requests, memberIdGiven }: JoinParts,
  memberId: string,
  protocol: GroupProtocol
): Promise<ResponseOf<typeof joinGroup>> {
  const answer = await requests.join(memberId, protocol)
  if (answer.errorCode === ErrorCode.NONE) {
    memberIdGiven(answer.memberId)
    return answer
  }
  if (answer.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) throw errorFromCode(answer.errorCode)
  memberIdGiven(answer.memberId)
  const second = await requests.join(answer.memberId, protocol)
  if (second.errorCode !== ErrorCode.NONE) throw errorFromCode(second.errorCode)
  return second
}
