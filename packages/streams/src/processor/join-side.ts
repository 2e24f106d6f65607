import type { StoreDefinition } from '../graph/node.ts'
import { toVersions, type Version } from '../serde/version-list.ts'
import type { WindowStore } from '../state/store.ts'
import { NO_TIME_MS, type OperatorTime } from './operator-time.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * The records of one input of a stream-stream join, for as long as the other side may need them. All records of a key in one span of time are
 * one entry of a window store, sorted by timestamp and within one by arrival: so a record is matched with a few point reads, and old
 * records go by the window.
 */
export class JoinSide {
  readonly time: OperatorTime
  readonly #store: WindowStore<unknown, unknown>
  readonly #name: string
  readonly #bucketMs: number
  readonly #retentionMs: number
  readonly #expire: ProcessorContext['stores']['expire']
  /** When it was last looked for what can be given up. */
  #lookedMs = NO_TIME_MS

  constructor(definition: StoreDefinition, retentionMs: number, context: ProcessorContext) {
    this.time = context.operatorTime(definition.name)
    context.stage(this.time)
    this.#store = context.stores.window(definition.name)
    this.#name = definition.name
    this.#bucketMs = definition.windowSizeMs ?? 1
    this.#retentionMs = retentionMs
    this.#expire = (store, beforeMs) => context.stores.expire(store, beforeMs)
  }

  add(key: unknown, version: Version): void {
    const { timestamp } = version
    if (timestamp > this.time.observedMs) this.time.observedMs = timestamp
    const bucketMs = this.#bucketOf(timestamp)
    const before = this.#store.get(key, bucketMs)?.value
    if (before === undefined) {
      this.#store.put(key, bucketMs, [version], timestamp)
      return
    }
    const versions = toVersions(before)
    let at = versions.length
    while (at > 0 && versions[at - 1].timestamp > timestamp) at--
    const records = versions.toSpliced(at, 0, version)
    this.#store.put(key, bucketMs, records, records[records.length - 1].timestamp)
  }

  /** Records of a key from `fromMs` to `toMs`, both included, that are not older than what is kept: by time, then by arrival. */
  find(key: unknown, fromMs: number, toMs: number): readonly Version[] {
    const leastMs = Math.max(fromMs, this.time.observedMs - this.#retentionMs + 1)
    const mostMs = Math.min(toMs, this.time.observedMs)
    const found: Version[] = []
    for (let bucketMs = this.#bucketOf(leastMs); bucketMs <= mostMs; bucketMs += this.#bucketMs) {
      for (const version of toVersions(this.#store.get(key, bucketMs)?.value)) {
        if (version.timestamp >= leastMs && version.timestamp <= mostMs) found.push(version)
      }
    }
    return found
  }

  /**
   * Gives up what is too old to be found, now and then: what came and went between two commits is never written, and does not fill memory meanwhile.
   * Not to be called when the time may still be taken back.
   */
  expireInTime(): void {
    if (this.time.observedMs >= this.#lookedMs + this.#retentionMs) this.expire()
  }

  /** Gives up what is too old to be found. */
  expire(): void {
    this.#lookedMs = this.time.observedMs
    const beforeMs = this.time.observedMs - this.#retentionMs + 2 - this.#bucketMs
    if (beforeMs > 0) this.#expire(this.#name, beforeMs)
  }

  #bucketOf(timestampMs: number): number {
    return Math.floor(Math.max(0, timestampMs) / this.#bucketMs) * this.#bucketMs
  }
}
