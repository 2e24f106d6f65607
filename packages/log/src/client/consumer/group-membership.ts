import type { MillraceError } from '../../errors.ts'
import { ProtocolError } from '../../wire/errors.ts'
import { backoffMs, pause } from '../backoff.ts'
import type { ClientContext } from '../client-context.ts'
import { GroupMembershipError } from '../errors.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import { type Assignor, rangeAssignor } from './assignor.ts'
import { countPartitions, type Joined, joinGeneration } from './group-join.ts'
import { type GroupConfig, type GroupMember, GroupRequests } from './group-requests.ts'
import { Heartbeats } from './heartbeats.ts'

/** How a group is joined, and who is told of what it decides. */
export interface SubscribeOptions {
  /** Default `rangeAssignor`. */
  readonly assignor?: Assignor
  /** Finish the work on these partitions and commit: they go to other members once the promise is settled. */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void
  /** These partitions were added; under the eager protocol they are all there are. */
  onAssigned?(partitions: readonly TopicPartition[]): Promise<void> | void
  /** These partitions may belong to others already, and nothing can be committed for them. Default: `onRevoked`. */
  onLost?(partitions: readonly TopicPartition[]): Promise<void> | void
}

/** Who holds the partitions on behalf of the membership. */
export interface PartitionHolder {
  held(): readonly TopicPartition[]
  hold(partitions: readonly TopicPartition[]): void
  /** `advance` has something to do. */
  advanced(): void
}

/** What a membership works with. */
export interface MembershipParts {
  readonly context: ClientContext
  readonly config: GroupConfig
  readonly topics: readonly string[]
  readonly options: SubscribeOptions
  readonly holder: PartitionHolder
}

const noMember: GroupMember = { memberId: '', generationId: -1 }
const backoff = { firstMs: 20, maxMs: 1_000 }

type Phase = 'outside' | 'joining' | 'joined' | 'member' | 'closed'

/**
 * A consumer's membership in its group (classic protocol). Requests that the coordinator holds run beside the polls; what they decide is adopted,
 * and the callbacks run, in `advance`, which every poll calls. Between polls heartbeats keep the membership alive, until
 * `maxPollIntervalMs` have passed without a poll.
 */
export class GroupMembership {
  readonly #parts: MembershipParts
  #topics: readonly string[]
  readonly #assignor: Assignor
  readonly #requests: GroupRequests
  readonly #heartbeats: Heartbeats
  #phase: Phase = 'outside'
  #member: GroupMember = noMember
  /** The id to join with; known before the membership is. */
  #memberId = ''
  #outcome: Joined | MillraceError | 'lost' | undefined
  #rejoin = false
  #lost = false
  #polledMs: number
  #partitionCounts: ReadonlyMap<string, number> | undefined

  constructor(parts: MembershipParts) {
    const { context, config, options } = parts
    this.#parts = parts
    this.#topics = parts.topics
    this.#assignor = options.assignor ?? rangeAssignor
    this.#requests = new GroupRequests(context, config)
    this.#polledMs = context.environment.clock.monotonicMs()
    this.#heartbeats = new Heartbeats({
      environment: context.environment,
      intervalMs: config.heartbeatIntervalMs,
      send: (member) => this.#beat(member),
      mayGoOn: () => this.#isPolled(),
      failed: (error) => this.#heartbeatFailed(error)
    })
  }

  /** Who this is in the group's current generation, as far as it is known here. */
  member(): GroupMember {
    return this.#member
  }

  /** Wants these topics from now on, which takes a rebalance. */
  wantTopics(topics: readonly string[]): void {
    this.#topics = topics
    this.#needRejoin()
  }

  /**
   * Does what is due: gives up what was lost, begins to join, or adopts what a join decided. Never waits for the group, only for callbacks.
   * @throws GroupMembershipError when it cannot be a member; what a callback throws.
   */
  async advance(): Promise<void> {
    this.#polledMs = this.#parts.context.environment.clock.monotonicMs()
    if (this.#phase === 'joined') await this.#adopt()
    if (this.#lost) await this.#giveUpLost()
    if (this.#phase === 'outside' || (this.#phase === 'member' && this.#rejoin)) await this.#beginJoin()
  }

  /** Gives up the partitions and leaves; a static member does not leave, its place is kept for the session timeout. */
  async close(): Promise<void> {
    if (this.#phase === 'closed') return
    const { groupInstanceId } = this.#parts.config
    this.#phase = 'closed'
    try {
      await this.#revoke(this.#parts.holder.held())
    } finally {
      this.#heartbeats.stop()
      if (groupInstanceId === undefined) await this.#leave('the consumer is being closed')
      this.#member = noMember
    }
  }

  async #beginJoin(): Promise<void> {
    const { holder } = this.#parts
    if (this.#assignor.protocol === 'eager' && holder.held().length > 0) {
      try {
        await this.#parts.options.onRevoked?.(holder.held())
      } finally {
        holder.hold([])
      }
      if (this.#lost) return
    }
    this.#heartbeats.stop()
    // Whatever was a reason to join again until now, this join is for it.
    this.#rejoin = false
    this.#phase = 'joining'
    void this.#join()
  }

  /** Joins until it succeeds or cannot. Runs beside the polls. */
  async #join(): Promise<void> {
    const { environment } = this.#parts.context
    for (let failures = 1; this.#phase === 'joining'; failures++) {
      const outcome = await this.#joinOnce()
      if (outcome !== 'again') {
        this.#outcome = outcome
        if (this.#phase === 'joining') this.#phase = 'joined'
        this.#parts.holder.advanced()
        return
      }
      await pause(environment, backoffMs(failures, backoff))
    }
  }

  async #joinOnce(): Promise<Joined | MillraceError | 'lost' | 'again'> {
    const { context, holder } = this.#parts
    const topics = this.#topics
    const memberIdGiven = (memberId: string) => {
      this.#memberId = memberId
    }
    const held = this.#assignor.protocol === 'cooperative' ? holder.held() : []
    const { generationId } = this.#member
    const joining = { memberId: this.#memberId, generationId, topics, assignor: this.#assignor, held }
    try {
      return await joinGeneration({ requests: this.#requests, metadata: context.metadata, memberIdGiven }, joining)
    } catch (error) {
      return this.#judge(error)
    }
  }

  #judge(error: unknown): MillraceError | 'lost' | 'again' {
    const name = error instanceof ProtocolError ? error.errorName : undefined
    if (name === 'REBALANCE_IN_PROGRESS') return 'again'
    if (name === 'UNKNOWN_MEMBER_ID' || name === 'ILLEGAL_GENERATION') {
      if (name === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
      return this.#parts.holder.held().length > 0 ? 'lost' : 'again'
    }
    if (this.#requests.isRetriable(error)) return 'again'
    const { groupId } = this.#parts.config
    const reason = error instanceof Error ? error.message : String(error)
    return new GroupMembershipError(groupId, `this consumer cannot be a member of group '${groupId}': ${reason}`, {
      cause: error
    })
  }

  async #adopt(): Promise<void> {
    const outcome = this.#outcome
    this.#outcome = undefined
    this.#phase = 'outside'
    if (outcome === undefined) return
    if (outcome === 'lost') {
      this.#lost = true
      return
    }
    if (!('member' in outcome)) throw outcome
    this.#phase = 'member'
    this.#member = outcome.member
    this.#partitionCounts = outcome.partitionCounts
    this.#heartbeats.start(outcome.member)
    await this.#adoptPartitions(outcome)
  }

  async #adoptPartitions({ partitions, userData }: Joined): Promise<void> {
    const { holder, options } = this.#parts
    const revoked = without(holder.held(), partitions)
    const added = without(partitions, holder.held())
    // What was given up can be assigned only in the next generation, so that one is needed at once.
    if (revoked.length > 0) this.#rejoin = true
    await this.#revoke(revoked)
    holder.hold(partitions)
    this.#assignor.onAssignment?.(userData)
    await options.onAssigned?.(added)
  }

  async #revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const { holder, options } = this.#parts
    try {
      await options.onRevoked?.(partitions)
    } finally {
      holder.hold(without(holder.held(), partitions))
    }
  }

  async #giveUpLost(): Promise<void> {
    const { holder, options } = this.#parts
    const held = holder.held()
    this.#lost = false
    this.#rejoin = true
    this.#member = noMember
    holder.hold([])
    if (held.length === 0) return
    if (options.onLost === undefined) await options.onRevoked?.(held)
    else await options.onLost(held)
  }

  async #beat(member: GroupMember): Promise<void> {
    await this.#requests.heartbeat(member)
    if (this.#partitionCounts !== undefined && (await this.#topicsChanged(this.#partitionCounts))) this.#needRejoin()
  }

  /** The leader looks whether topics were made, deleted or extended since it assigned them. */
  async #topicsChanged(known: ReadonlyMap<string, number>): Promise<boolean> {
    const topics = new Set([...this.#topics, ...known.keys()])
    const current = await countPartitions(this.#parts.context.metadata, topics)
    return [...topics].some((topic) => current.get(topic) !== known.get(topic))
  }

  #heartbeatFailed(error: unknown): void {
    if (this.#phase !== 'member') return
    const name = error instanceof ProtocolError ? error.errorName : undefined
    if (name === 'REBALANCE_IN_PROGRESS') this.#needRejoin()
    else if (name === 'UNKNOWN_MEMBER_ID' || name === 'ILLEGAL_GENERATION') {
      if (name === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
      this.#lose()
    } else if (!this.#requests.isRetriable(error)) {
      const judged = this.#judge(error)
      if (typeof judged === 'object') this.#outcome = judged
      this.#phase = 'joined'
      this.#parts.holder.advanced()
    }
  }

  /** Whether the consumer is still polled; if not, it leaves, since nobody works on its partitions. */
  #isPolled(): boolean {
    const { context, config } = this.#parts
    const idleMs = context.environment.clock.monotonicMs() - this.#polledMs
    if (idleMs < config.maxPollIntervalMs) return true
    this.#heartbeats.stop()
    if (config.groupInstanceId === undefined) void this.#leave(`no poll for ${Math.round(idleMs)} ms`)
    this.#lose()
    return false
  }

  #needRejoin(): void {
    this.#rejoin = true
    this.#parts.holder.advanced()
  }

  #lose(): void {
    this.#lost = true
    this.#heartbeats.stop()
    this.#needRejoin()
  }

  async #leave(reason: string): Promise<void> {
    const memberId = this.#memberId
    this.#memberId = ''
    if (memberId === '') return
    // The coordinator finds out by itself after the session timeout.
    await this.#requests.leave(memberId, reason).catch(() => {})
  }
}

/** The partitions of `all` that are not among `others`. */
function without(all: readonly TopicPartition[], others: readonly TopicPartition[]): TopicPartition[] {
  const keys = new Set(others.map(({ topic, partition }) => partitionKey(topic, partition)))
  return all.filter(({ topic, partition }) => !keys.has(partitionKey(topic, partition)))
}
