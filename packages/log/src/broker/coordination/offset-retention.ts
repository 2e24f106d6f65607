import { expiredOffsets } from '../../coordinator/groups/offset-expiry.ts'
import type { OffsetKey } from '../../coordinator/groups/offset-table.ts'
import type { Environment, Timer } from '../../environment/environment.ts'
import type { GroupShard } from './group-shard.ts'

/** How long offsets are kept; names and defaults are those of the broker's configuration. */
export interface OffsetRetentionConfig {
  readonly offsetsRetentionMs: number
  readonly offsetsRetentionCheckIntervalMs: number
}

/** What retention needs. */
export interface OffsetRetentionOptions {
  readonly environment: Environment
  readonly config: OffsetRetentionConfig
  readonly shards: () => Iterable<GroupShard>
  readonly report: (error: unknown) => void
}

/** Lets go of committed offsets that are too old, of groups that nothing is left of, and of offsets of deleted topics. */
export class OffsetRetention {
  readonly #options: OffsetRetentionOptions
  #timer: Timer | undefined
  #closed = false

  constructor(options: OffsetRetentionOptions) {
    this.#options = options
  }

  /** Looks through all offsets now and then, from now on. */
  start(): void {
    if (this.#closed) return
    const { environment, config } = this.#options
    const check = (): void => {
      this.expire().catch((error) => this.#options.report(error))
      this.start()
    }
    this.#timer = environment.timers.set(config.offsetsRetentionCheckIntervalMs, check, { background: true })
  }

  /** Stops looking. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  /** Lets go of what has expired. Resolves when that is committed. */
  async expire(): Promise<void> {
    const { environment, config } = this.#options
    const nowMs = environment.clock.nowMs()
    const forgotten: Promise<void>[] = []
    for (const shard of this.#options.shards()) {
      for (const groupId of new Set([...shard.offsets.groupIds(), ...shard.groups.keys()])) {
        const { keys, forgetGroup } = expiredOffsets(groupId, shard.groups.get(groupId), {
          offsets: shard.offsets,
          nowMs,
          retentionMs: config.offsetsRetentionMs
        })
        forgotten.push(shard.forget(keys, forgetGroup ? groupId : undefined, nowMs))
      }
    }
    await Promise.all(forgotten)
  }

  /** Lets go of all offsets of a deleted topic. Resolves when that is committed. */
  async forgetTopic(topic: string): Promise<void> {
    const nowMs = this.#options.environment.clock.nowMs()
    const forgotten: Promise<void>[] = []
    for (const shard of this.#options.shards()) {
      const keys: OffsetKey[] = []
      for (const groupId of shard.offsets.groupIds()) {
        for (const [key] of shard.offsets.committedOf(groupId)) if (key.topic === topic) keys.push(key)
      }
      forgotten.push(shard.forget(keys, undefined, nowMs))
    }
    await Promise.all(forgotten)
  }
}
