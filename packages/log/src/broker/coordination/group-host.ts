import { coordinatorPartition } from '../../coordinator/coordinator-partition.ts'
import { type CommitterIdentity, fenceCommit } from '../../coordinator/groups/commit-fencing.ts'
import {
  type Group,
  type GroupConfig,
  type GroupEffect,
  type JoinAnswer,
  joinRefusal,
  type SyncAnswer,
  syncRefusal
} from '../../coordinator/groups/group.ts'
import { type HeartbeatInput, heartbeat } from '../../coordinator/groups/heartbeat.ts'
import type { MemberIdentity } from '../../coordinator/groups/identity.ts'
import { join } from '../../coordinator/groups/join.ts'
import type { JoinInput } from '../../coordinator/groups/join-input.ts'
import { leave, removeMembers } from '../../coordinator/groups/leave.ts'
import { type SyncInput, sync } from '../../coordinator/groups/sync.ts'
import { wake } from '../../coordinator/groups/wake.ts'
import type { Environment } from '../../environment/environment.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { GroupAlarms } from './group-alarms.ts'
import { GroupShard, type OffsetProducer, type OffsetToCommit } from './group-shard.ts'
import { OffsetRetention, type OffsetRetentionConfig } from './offset-retention.ts'
import { OFFSETS_TOPIC, type PartitionDirectory } from './partition-directory.ts'
import { PendingAnswers } from './pending-answers.ts'
import { steadyClock } from './steady-clock.ts'

/** Client host of members that live in the broker's process. */
export const IN_PROCESS_HOST = 'in-process'

/** What the host needs. */
export interface GroupHostOptions {
  readonly environment: Environment
  readonly config: GroupConfig & OffsetRetentionConfig
  readonly partitions: PartitionDirectory
  /** Hears of work that failed and that no request waits for. */
  readonly report: (error: unknown) => void
}

/** One commit of offsets. */
export interface OffsetCommit {
  readonly groupId: string
  readonly committer: CommitterIdentity
  readonly offsets: readonly OffsetToCommit[]
  /** The producer whose transaction the offsets are part of; absent outside of one. */
  readonly producer?: OffsetProducer
}

/**
 * Runs the group coordinator for the partitions of `__consumer_offsets` that this broker leads: gives requests and alarms to the pure
 * functions of `coordinator/groups`, and does what they say.
 */
export class GroupHost {
  readonly #options: GroupHostOptions
  readonly #nowMs: () => number
  readonly #shards = new Map<number, GroupShard>()
  readonly #joins = new PendingAnswers<JoinAnswer>()
  readonly #syncs = new PendingAnswers<SyncAnswer>()
  readonly #alarms: GroupAlarms
  /** Lets old offsets go, and those of deleted topics. */
  readonly retention: OffsetRetention

  constructor(options: GroupHostOptions) {
    this.#options = options
    this.#nowMs = steadyClock(options.environment.clock)
    this.#alarms = new GroupAlarms(options.environment.timers, this.#nowMs, (groupId) => this.#wake(groupId))
    this.retention = new OffsetRetention({ ...options, shards: () => this.#shards.values() })
  }

  /**
   * Loads what is there, and ends the sessions of members that lived in this process, which is a new one now. Call it once the partitions are
   * open, before the transaction host starts.
   */
  async start(): Promise<void> {
    const { partitions, config } = this.#options
    const persisted: Promise<void>[] = []
    for (let index = 0; index < partitions.partitionCount(OFFSETS_TOPIC); index += 1) {
      const shard = this.#shardAt(index)
      if (shard === undefined) continue
      for (const group of shard.groups.values()) {
        const context = { config, nowMs: this.#nowMs() }
        const effects = removeMembers(group, (member) => member.clientHost === IN_PROCESS_HOST, context)
        persisted.push(this.#run(shard, group, effects))
      }
    }
    this.retention.start()
    await Promise.all(persisted)
  }

  /** Resolves when the next generation begins, or with a refusal. */
  join(groupId: string, input: Omit<JoinInput, 'token'>): Promise<JoinAnswer> {
    const shard = this.find(groupId)
    const { token, answer } = this.#joins.expect()
    if (typeof shard === 'number') this.#joins.resolve(token, joinRefusal(shard, input.memberId))
    else {
      const nowMs = this.#nowMs()
      const group = shard.group(groupId, nowMs)
      this.#settle(shard, group, join(group, { ...input, token }, { config: this.#options.config, nowMs }))
    }
    return answer
  }

  /** Resolves when the leader has assigned and that is durable, or with a refusal. */
  sync(groupId: string, input: Omit<SyncInput, 'token'>): Promise<SyncAnswer> {
    const shard = this.find(groupId)
    const { token, answer } = this.#syncs.expect()
    if (typeof shard === 'number') this.#syncs.resolve(token, syncRefusal(shard))
    else {
      const group = shard.groups.get(groupId)
      this.#settle(shard, group, sync(group, { ...input, token }, this.#nowMs()))
    }
    return answer
  }

  /** Error code. */
  heartbeat(groupId: string, input: HeartbeatInput): number {
    const shard = this.find(groupId)
    return typeof shard === 'number' ? shard : heartbeat(shard.groups.get(groupId), input, this.#nowMs())
  }

  /** One error code per member, or one number for all when this is not the coordinator. */
  async leave(groupId: string, members: readonly MemberIdentity[]): Promise<readonly number[] | number> {
    const shard = this.find(groupId)
    if (typeof shard === 'number') return shard
    const group = shard.groups.get(groupId)
    const { errorCodes, effects } = leave(group, members, { config: this.#options.config, nowMs: this.#nowMs() })
    if (group !== undefined) await this.#run(shard, group, effects)
    return errorCodes
  }

  /** Error code of `fenceCommit`, without committing anything. */
  fence(groupId: string, committer: CommitterIdentity): number {
    const shard = this.find(groupId)
    return typeof shard === 'number' ? shard : fenceCommit(shard.groups.get(groupId), committer, this.#nowMs())
  }

  /** Commits offsets, or holds them for a transaction. Resolves with an error code that stands for all, once they are durable. */
  async commit(request: OffsetCommit): Promise<number> {
    const shard = this.find(request.groupId)
    if (typeof shard === 'number') return shard
    const errorCode = fenceCommit(shard.groups.get(request.groupId), request.committer, this.#nowMs())
    if (errorCode !== ErrorCode.NONE) return errorCode
    await shard.commit(request.offsets, this.#options.environment.clock.nowMs(), request.producer)
    return ErrorCode.NONE
  }

  /** The shard that keeps the group, or the error code when this broker does not coordinate it. */
  find(groupId: string): GroupShard | number {
    const count = this.#options.partitions.partitionCount(OFFSETS_TOPIC)
    if (count === 0) return ErrorCode.NOT_COORDINATOR
    return this.#shardAt(coordinatorPartition(groupId, count)) ?? ErrorCode.NOT_COORDINATOR
  }

  /** Partition of `__consumer_offsets` that keeps the group; -1 while there is none. */
  partitionOf(groupId: string): number {
    const count = this.#options.partitions.partitionCount(OFFSETS_TOPIC)
    return count === 0 ? -1 : coordinatorPartition(groupId, count)
  }

  /** The marker that ends a producer's transaction is committed in a partition of `__consumer_offsets`. */
  transactionEnded(offsetsPartition: number, ended: { readonly producerId: number; readonly commit: boolean }): void {
    this.#shards.get(offsetsPartition)?.offsets.endTransaction(ended.producerId, ended.commit)
  }

  /** Sends away every request that waits, and stops the alarms. */
  close(): void {
    this.#alarms.close()
    this.retention.close()
    this.#joins.resolveAll(joinRefusal(ErrorCode.COORDINATOR_NOT_AVAILABLE, ''))
    this.#syncs.resolveAll(syncRefusal(ErrorCode.COORDINATOR_NOT_AVAILABLE))
  }

  #shardAt(index: number): GroupShard | undefined {
    const partition = this.#options.partitions.get(OFFSETS_TOPIC, index)
    if (partition === undefined) return undefined
    const known = this.#shards.get(index)
    if (known?.partition === partition) return known
    const shard = new GroupShard(partition, this.#nowMs())
    this.#shards.set(index, shard)
    for (const group of shard.groups.values()) this.#alarms.set(group)
    return shard
  }

  #wake(groupId: string): void {
    const shard = this.find(groupId)
    const group = typeof shard === 'number' ? undefined : shard.groups.get(groupId)
    if (typeof shard === 'number' || group === undefined) return
    this.#settle(shard, group, wake(group, { config: this.#options.config, nowMs: this.#nowMs() }))
  }

  /** Does what is to be done; whoever waits for it has the answers' promises. */
  #settle(shard: GroupShard, group: Group | undefined, effects: readonly GroupEffect[]): void {
    this.#run(shard, group, effects).catch((error) => this.#options.report(error))
  }

  /** Does what is to be done, in order. Resolves once all that was logged is committed. */
  async #run(shard: GroupShard, group: Group | undefined, effects: readonly GroupEffect[]): Promise<void> {
    if (group !== undefined) this.#alarms.set(group)
    const logged = effects.findIndex((effect) => effect.kind === 'persist')
    const free = logged === -1 ? effects : effects.slice(0, logged)
    for (const effect of free) this.#answer(effect)
    if (logged === -1 || group === undefined) return
    const bound = effects.slice(logged)
    try {
      await shard.persist(group, this.#options.environment.clock.nowMs())
    } catch (error) {
      for (const effect of bound) this.#reject(effect, error)
      throw error
    }
    for (const effect of bound) this.#answer(effect)
  }

  #answer(effect: GroupEffect): void {
    if (effect.kind === 'join-answer') this.#joins.resolve(effect.token, effect.answer)
    if (effect.kind === 'sync-answer') this.#syncs.resolve(effect.token, effect.answer)
  }

  #reject(effect: GroupEffect, error: unknown): void {
    if (effect.kind === 'join-answer') this.#joins.reject(effect.token, error)
    if (effect.kind === 'sync-answer') this.#syncs.reject(effect.token, error)
  }
}
