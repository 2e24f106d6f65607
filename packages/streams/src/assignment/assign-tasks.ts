import { type TaskId, taskName } from './task-id.ts'

/** One member of the group as the assignment sees it. */
export interface AssignableMember {
  readonly memberId: string
  /** Tasks whose state it has on disk or is running now: it is the natural home for them. */
  readonly previousTasks: ReadonlySet<string>
}

/** What is to be assigned. */
export interface AssignableTask {
  readonly id: TaskId
  readonly stateful: boolean
}

/**
 * Gives every task to one member. Pure: the same input gives the same answer on every leader.
 *
 * 1. Stateful tasks stay where their state is, up to a fair share for each member.
 * 2. What is left, stateful first, goes to the member with the fewest tasks of that kind, then the fewest at all.
 *
 * Ties are broken by member id, so that no order of arrival shows.
 */
export function assignTasks(
  tasks: readonly AssignableTask[],
  members: readonly AssignableMember[]
): Map<string, TaskId[]> {
  const shares = members
    .map((member) => ({ member, tasks: [] as AssignableTask[] }))
    .sort((a, b) => (a.member.memberId < b.member.memberId ? -1 : 1))
  if (shares.length === 0) return new Map()
  const left: AssignableTask[] = []
  for (const stateful of [true, false]) {
    const kind = tasks.filter((task) => task.stateful === stateful)
    const fairShare = Math.ceil(kind.length / shares.length)
    for (const task of kind) {
      const home = shares.find(
        (share) => share.member.previousTasks.has(taskName(task.id)) && countOf(share.tasks, stateful) < fairShare
      )
      if (home) home.tasks.push(task)
      else left.push(task)
    }
  }
  for (const task of left) {
    const least = shares.reduce((best, share) => (lessLoaded(share, best, task.stateful) ? share : best))
    least.tasks.push(task)
  }
  return new Map(shares.map((share) => [share.member.memberId, share.tasks.map((task) => task.id)]))
}

function countOf(tasks: readonly AssignableTask[], stateful: boolean): number {
  return tasks.filter((task) => task.stateful === stateful).length
}

function lessLoaded(
  a: { tasks: readonly AssignableTask[] },
  b: { tasks: readonly AssignableTask[] },
  stateful: boolean
): boolean {
  const byKind = countOf(a.tasks, stateful) - countOf(b.tasks, stateful)
  return byKind !== 0 ? byKind < 0 : a.tasks.length < b.tasks.length
}
