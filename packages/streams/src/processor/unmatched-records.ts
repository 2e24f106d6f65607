import type { StoreDefinition } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { WaitingRecord } from '../serde/waiting-list.ts'
import { identityOf } from '../state/store-entry.ts'
import { TimeBuffer } from '../state/time-buffer.ts'
import type { ProcessorContext } from './task-context.ts'

/** Records of left and outer joins that nothing has matched yet, in the order in which they are given up: by time, right before left, by key. */
export class UnmatchedRecords {
  readonly #buffer: TimeBuffer
  readonly #identity: (key: unknown) => unknown
  readonly #encode: (key: unknown) => Buffer

  constructor(definition: StoreDefinition, key: StoreDefinition['key'], context: ProcessorContext) {
    this.#buffer = new TimeBuffer(context.stores.keyValue(definition.name))
    context.stage(this.#buffer)
    this.#identity = identityOf(key)
    this.#encode = (value) => key.encode(value)
  }

  /** The time from which on it is worth looking, infinity when it is not; kept with the records. */
  get leastMs(): number {
    return this.#buffer.noteMs ?? Number.POSITIVE_INFINITY
  }

  set leastMs(ms: number) {
    this.#buffer.noteMs = ms === Number.POSITIVE_INFINITY ? undefined : ms
  }

  add(side: number, { key, value, timestamp, headers }: StreamRecord): void {
    const records = this.#buffer.at(timestamp)
    const added = { side, key, value, headers }
    const at = records.findIndex((other) => this.#compare(other, added) > 0)
    this.#buffer.set(timestamp, records.toSpliced(at < 0 ? records.length : at, 0, added))
    if (timestamp < this.leastMs) this.leastMs = timestamp
  }

  /** All records of a key and side at a timestamp have been matched. */
  remove(side: number, key: unknown, timestamp: number): void {
    const records = this.#buffer.at(timestamp)
    if (records.length === 0) return
    const identity = this.#identity(key)
    const left = records.filter((record) => record.side !== side || this.#identity(record.key) !== identity)
    if (left.length < records.length) this.#buffer.set(timestamp, left)
  }

  /** Records of a timestamp. */
  at(timestamp: number): readonly WaitingRecord[] {
    return this.#buffer.at(timestamp)
  }

  /** The first timestamp from `fromMs` on that has any. */
  next(fromMs: number): number | undefined {
    return this.#buffer.next(fromMs)
  }

  /** Takes out the records of a timestamp that are on one of the given sides. */
  take(timestamp: number, due: (side: number) => boolean): readonly WaitingRecord[] {
    const records = this.#buffer.at(timestamp)
    const taken = records.filter(({ side }) => due(side))
    if (taken.length > 0)
      this.#buffer.set(
        timestamp,
        records.filter(({ side }) => !due(side))
      )
    return taken
  }

  /** Sides are numbered so that the right one, which comes first, is 1. */
  #compare(one: WaitingRecord, other: WaitingRecord): number {
    return one.side === other.side
      ? Buffer.compare(this.#encode(one.key), this.#encode(other.key))
      : other.side - one.side
  }
}
