import type { StoreDefinition } from '../graph/node.ts'
import { toVersions, type Version } from '../serde/version-list.ts'
import type { WindowStore } from '../state/store.ts'
import type { OperatorTime } from './operator-time.ts'
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
    const before = toVersions(this.#store.get(key, bucketMs)?.value)
    let at = before.length
    while (at > 0 && before[at - 1].timestamp > timestamp) at--
    const records = before.toSpliced(at, 0, version)
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

  /** Gives up what no one can find any more, one flush after it became so. */
  flush(): void {
    const beforeMs = this.time.flushedMs - this.#retentionMs + 2 - this.#bucketMs
    if (beforeMs > 0) this.#expire(this.#name, beforeMs)
    this.time.flushedMs = this.time.observedMs
  }

  #bucketOf(timestampMs: number): number {
    return Math.floor(Math.max(0, timestampMs) / this.#bucketMs) * this.#bucketMs
  }
}
