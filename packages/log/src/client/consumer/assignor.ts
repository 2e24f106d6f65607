import { partitionKey, type TopicPartition } from '../topic-partition.ts'

/** One member of a group, as the leader sees it when it assigns partitions. */
export interface AssignableMember {
  readonly memberId: string
  /** Stable over restarts for a static member. */
  readonly groupInstanceId: string | undefined
  readonly topics: readonly string[]
  /** What the member's own assignor had to say. */
  readonly userData: Buffer | null
  /** What it still holds; empty under the eager protocol. */
  readonly ownedPartitions: readonly TopicPartition[]
}

/** What one member gets. */
export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[]
  /** Handed to the member's `onAssignment`. */
  readonly userData?: Buffer
}

/**
 * Decides who reads what. Every member runs the same one; the leader's `assign` decides. Under the eager protocol members give up all partitions
 * before a rebalance; under the cooperative one only those that move, in a second rebalance: until its owner has let go of a partition, the
 * group withholds it from the new one, whatever `assign` says (KIP-429).
 */
export interface Assignor {
  /** The protocol's name in the group; members must share one. */
  readonly name: string
  readonly protocol: 'eager' | 'cooperative'
  /** Sent to the leader with every join. */
  userData?(): Buffer
  /** `partitionCounts` has the topics that exist. Called with one member, too. */
  assign(
    members: readonly AssignableMember[],
    partitionCounts: ReadonlyMap<string, number>
  ): Map<string, MemberAssignment>
  /** Called with what the leader's `assign` gave to this member, before `onAssigned`. */
  onAssignment?(userData: Buffer | null): void
}

/**
 * Kafka's range assignor: each topic's partitions in runs of equal length (the first runs one longer) to its members by id, so that topics with
 * the same number of partitions are assigned alike.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  protocol: 'eager',
  assign: (members, partitionCounts) => {
    const assignments = emptyAssignments(members)
    for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => compare(a, b))) {
      const readers = members.filter(({ topics }) => topics.includes(topic)).sort(byId)
      readers.forEach(({ memberId }, index) => {
        const start = Math.floor(count / readers.length) * index + Math.min(index, count % readers.length)
        const length = Math.floor(count / readers.length) + (index < count % readers.length ? 1 : 0)
        for (let partition = start; partition < start + length; partition++) {
          assignments.get(memberId)?.push({ topic, partition })
        }
      })
    }
    return asResult(assignments)
  }
}

/** Kafka's round-robin assignor: all partitions of all topics dealt out in turn to the members that read the topic. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  protocol: 'eager',
  assign: (members, partitionCounts) => {
    const assignments = emptyAssignments(members)
    const ordered = [...members].sort(byId)
    let turn = 0
    for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => compare(a, b))) {
      if (!ordered.some(({ topics }) => topics.includes(topic))) continue
      for (let partition = 0; partition < count; partition++) {
        while (!ordered[turn % ordered.length].topics.includes(topic)) turn++
        assignments.get(ordered[turn++ % ordered.length].memberId)?.push({ topic, partition })
      }
    }
    return asResult(assignments)
  }
}

/**
 * A cooperative assignor: members keep what they own as far as shares stay equal within one partition, and the rest goes to whoever has the
 * least.
 */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  protocol: 'cooperative',
  assign: (members, partitionCounts) => {
    const assignments = emptyAssignments(members)
    const ordered = [...members].sort(byId)
    const total = [...partitionCounts.values()].reduce((sum, count) => sum + count, 0)
    const share = Math.floor(total / Math.max(1, members.length))
    let oneMore = total % Math.max(1, members.length)
    const taken = new Set<string>()
    for (const { memberId, topics, ownedPartitions } of ordered) {
      const kept = assignments.get(memberId) ?? []
      for (const owned of ownedPartitions) {
        const key = partitionKey(owned.topic, owned.partition)
        const exists = owned.partition < (partitionCounts.get(owned.topic) ?? 0) && topics.includes(owned.topic)
        if (!exists || taken.has(key) || kept.length > share || (kept.length === share && oneMore === 0)) continue
        if (kept.length === share) oneMore--
        taken.add(key)
        kept.push(owned)
      }
    }
    for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => compare(a, b))) {
      for (let partition = 0; partition < count; partition++) {
        if (taken.has(partitionKey(topic, partition))) continue
        leastLoaded(ordered, assignments, topic)?.push({ topic, partition })
      }
    }
    return asResult(assignments)
  }
}

type Assignments = Map<string, TopicPartition[]>

function leastLoaded(
  members: readonly AssignableMember[],
  assignments: Assignments,
  topic: string
): TopicPartition[] | undefined {
  let least: TopicPartition[] | undefined
  for (const { memberId, topics } of members) {
    const assigned = assignments.get(memberId)
    if (assigned === undefined || !topics.includes(topic)) continue
    if (least === undefined || assigned.length < least.length) least = assigned
  }
  return least
}

function emptyAssignments(members: readonly AssignableMember[]): Assignments {
  return new Map(members.map(({ memberId }) => [memberId, []]))
}

function asResult(assignments: Assignments): Map<string, MemberAssignment> {
  return new Map([...assignments].map(([memberId, partitions]) => [memberId, { partitions }]))
}

/** Static members by their instance id, so that an assignment survives a restart. */
function byId(a: AssignableMember, b: AssignableMember): number {
  return compare(a.groupInstanceId ?? a.memberId, b.groupInstanceId ?? b.memberId)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
