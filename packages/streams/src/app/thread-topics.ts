import type { Admin, Consumer, Environment, TopicPartition } from '@millrace/log'
import type { TaskId } from '../assignment/task-id.ts'
import { taskAssignor, tasksOfPartitions } from './group-assignor.ts'
import { type InitialOffsetsContext, initialOffsets } from './initial-offsets.ts'
import type { MatchedTopics } from './matched-topics.ts'
import { TopicWatch } from './topic-watch.ts'

/** How a thread hears of its partitions; called inside `poll`. */
export interface AssignmentListener {
  assigned(partitions: readonly TopicPartition[]): Promise<void>
  /** Before they go to someone else: what was processed is committed. */
  revoked(): Promise<void>
  /** They are someone else's already: nothing can be committed. */
  lost(): Promise<void>
}

/** What a thread's topics are read and watched with. */
export interface ThreadTopicsParts {
  readonly application: string
  readonly environment: Environment
  readonly admin: Admin
  readonly matched: MatchedTopics
  /** Member of the application's group. */
  readonly consumer: Consumer
  /** Asked where partitions begin and end. */
  readonly offsets: InitialOffsetsContext['consumer']
  /** Names of the tasks that have state here: what the group's leader goes by. */
  tasksWithState(): Iterable<string>
}

/** The topics that a thread reads: its share of them, where it begins in each, those that come while it runs and those that go. */
export class ThreadTopics {
  readonly #parts: ThreadTopicsParts
  readonly #watch: TopicWatch

  constructor(parts: ThreadTopicsParts) {
    const { admin, environment, application, matched } = parts
    this.#parts = parts
    const needed = () => matched.current.plan.partitions.keys()
    this.#watch = new TopicWatch({ admin, timers: environment.timers, application, needed })
  }

  /** Joins the application's group. */
  subscribe(listener: AssignmentListener): void {
    const { consumer, matched, tasksWithState } = this.#parts
    consumer.subscribe(matched.subscription, {
      assignor: taskAssignor((partitions) => matched.among(partitions), tasksWithState),
      onAssigned: listener.assigned,
      onRevoked: listener.revoked,
      onLost: listener.lost
    })
  }

  /** The tasks that a set of input partitions stands for; topics among them that were not known are from now on. */
  async tasksOf(partitions: readonly TopicPartition[]): Promise<readonly TaskId[]> {
    const { matched } = this.#parts
    await matched.adopt(partitions.map(({ topic }) => topic))
    return tasksOfPartitions(matched.current.topology, matched.current.plan, partitions)
  }

  /** Once a turn: looks, when it is time to, whether there are other topics to read. */
  async refresh(): Promise<void> {
    const topics = await this.#parts.matched.refresh()
    if (topics !== undefined) this.#parts.consumer.resubscribe(topics)
  }

  /** Where to begin with inputs that have no committed offset, by `topic-partition`. @throws NoCommittedOffsetError */
  initialOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    const { offsets, environment, matched } = this.#parts
    const { topology } = matched.current
    return initialOffsets({ consumer: offsets, clock: environment.clock, topology }, partitions)
  }

  /** What the work comes to; rejects early when it waits for a topic that is gone. @throws DeletedTopicError */
  during<T>(work: Promise<T>): Promise<T> {
    return this.#watch.during(work)
  }
}
