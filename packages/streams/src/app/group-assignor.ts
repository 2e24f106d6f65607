import { type Assignor, partitionKey } from '@millrace/log'
import { type AssignableTask, assignTasks } from '../assignment/assign-tasks.ts'
import type { TaskId } from '../assignment/task-id.ts'
import type { Topology } from '../graph/topology.ts'
import type { Matched } from './matched-topics.ts'
import { sourceTopicsOf, type TopicPlan } from './topic-plan.ts'

/** All tasks of a topology. */
export function tasksOf(topology: Topology, plan: TopicPlan): AssignableTask[] {
  return topology.subtopologies.flatMap((subtopology) =>
    Array.from({ length: plan.tasks.get(subtopology.id) ?? 0 }, (_, partition) => ({
      id: { subtopology: subtopology.id, partition },
      stateful: subtopology.stores.length > 0
    }))
  )
}

/** Input partitions of a task, full topic names. */
export function inputPartitions(
  topology: Topology,
  plan: TopicPlan,
  id: TaskId
): { topic: string; partition: number }[] {
  const subtopology = topology.subtopologies[id.subtopology]
  return sourceTopicsOf(topology, subtopology)
    .filter((topic) => id.partition < (plan.partitions.get(topic) ?? 0))
    .map((topic) => ({ topic, partition: id.partition }))
}

/**
 * The group's assignor: gives out tasks rather than partitions, so that the topics of one task stay together. A member says in its user
 * data which tasks it has state for; the answer is its input partitions. `among` says what follows from the topics that the members subscribe to.
 */
export function taskAssignor(
  among: (partitions: ReadonlyMap<string, number>) => Matched,
  ownTasks: () => Iterable<string>
): Assignor {
  return {
    name: 'millrace-tasks',
    protocol: 'eager',
    userData: () => Buffer.from(JSON.stringify({ version: 1, tasks: [...ownTasks()] })),
    assign: (members, partitionCounts) => {
      const { topology, plan } = among(partitionCounts)
      const assigned = assignTasks(
        tasksOf(topology, plan),
        members.map((member) => ({ memberId: member.memberId, previousTasks: previousTasks(member.userData) }))
      )
      return new Map(
        [...assigned].map(([memberId, ids]) => [
          memberId,
          { partitions: ids.flatMap((id) => inputPartitions(topology, plan, id)) }
        ])
      )
    }
  }
}

/** The tasks that a set of input partitions stands for. */
export function tasksOfPartitions(
  topology: Topology,
  plan: TopicPlan,
  partitions: readonly { readonly topic: string; readonly partition: number }[]
): TaskId[] {
  const owned = new Set(partitions.map(({ topic, partition }) => partitionKey(topic, partition)))
  return tasksOf(topology, plan)
    .map((task) => task.id)
    .filter((id) =>
      inputPartitions(topology, plan, id).every(({ topic, partition }) => owned.has(partitionKey(topic, partition)))
    )
}

function previousTasks(userData: Buffer | undefined | null): Set<string> {
  if (!userData || userData.length === 0) return new Set()
  try {
    const parsed: unknown = JSON.parse(userData.toString('utf8'))
    if (typeof parsed !== 'object' || parsed === null || !('tasks' in parsed) || !Array.isArray(parsed.tasks)) {
      return new Set()
    }
    return new Set(parsed.tasks.filter((task): task is string => typeof task === 'string'))
  } catch {
    // Another version's user data: the member's state is not known, which costs a restore and nothing else.
    return new Set()
  }
}
