import { type FetchedPartition, partitionKey, type RecordCursor } from '@millrace/log'
import type { SinkOffset, SinkPartition, SinkRecord } from '../sink.ts'

/** A record that waits for its batch. */
export interface QueuedRecord {
  readonly record: SinkRecord
  readonly sizeBytes: number
}

/** Records to write together, and the offsets that follow from having written them. */
export interface SinkBatch {
  readonly entries: readonly QueuedRecord[]
  readonly offsets: readonly SinkOffset[]
}

/** Limits of a batch. */
export interface BatchLimits {
  readonly batchRecords: number
  readonly batchBytes: number
}

/**
 * What was fetched and not yet written: in the order of each partition, and of the fetches. It also knows how far each partition was fetched,
 * so that a batch that takes the last record of a partition moves its offset over the markers and gaps behind it.
 */
export class SinkQueue {
  readonly #entries: QueuedRecord[] = []
  /** Of each entry. */
  readonly #origins: PartitionState[] = []
  readonly #partitions = new Map<string, PartitionState>()
  #head = 0
  #bytes = 0

  get records(): number {
    return this.#entries.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  add(fetched: FetchedPartition): number {
    const state = this.#state(fetched)
    let count = 0
    for (const batch of fetched.batches) {
      const cursor = batch.records()
      while (cursor.next()) {
        if (cursor.offset < fetched.position) continue
        this.#push(state, cursor)
        count++
      }
    }
    state.waiting += count
    state.fetchedTo = fetched.nextOffset
    state.end = fetched.lastStableOffset
    return count
  }

  /** The next batch; undefined when nothing waits. */
  take({ batchRecords, batchBytes }: BatchLimits): SinkBatch | undefined {
    const entries: QueuedRecord[] = []
    const touched = new Map<PartitionState, number>()
    let sizeBytes = 0
    while (this.#head < this.#entries.length && entries.length < batchRecords) {
      const entry = this.#entries[this.#head]
      if (entries.length > 0 && sizeBytes + entry.sizeBytes > batchBytes) break
      this.#head++
      entries.push(entry)
      sizeBytes += entry.sizeBytes
      const state = this.#origins[this.#head - 1]
      state.waiting--
      touched.set(state, entry.record.offset + 1)
    }
    if (entries.length === 0) return undefined
    this.#bytes -= sizeBytes
    this.#trim()
    const offsets = [...touched].map(([state, behind]) => ({
      topic: state.topic,
      partition: state.partition,
      offset: state.waiting === 0 ? state.fetchedTo : behind
    }))
    return { entries, offsets }
  }

  /** Records that are on the log and were not written, as far as fetches have shown; by partition. */
  lags(written: (partition: SinkPartition) => number | undefined): number[] {
    return [...this.#partitions.values()].map((state) => {
      const next = state.waiting === 0 ? state.fetchedTo : (written(state) ?? state.fetchedTo - state.waiting)
      return Math.max(0, state.end - next)
    })
  }

  /** Whether nothing waits, and all that is on the log was fetched. */
  get caughtUp(): boolean {
    return this.records === 0 && ![...this.#partitions.values()].some((state) => state.fetchedTo < state.end)
  }

  clear(): void {
    this.#entries.length = 0
    this.#origins.length = 0
    this.#head = 0
    this.#bytes = 0
    this.#partitions.clear()
  }

  #push(state: PartitionState, cursor: RecordCursor): void {
    const { topic, partition } = state
    const { offset, timestamp } = cursor
    const key = cursor.key()
    const value = cursor.value()
    const sizeBytes = 32 + (key?.length ?? 0) + (value?.length ?? 0)
    const record = { topic, partition, offset, key, value, timestamp, headers: cursor.headers() }
    this.#entries.push({ record, sizeBytes })
    this.#origins.push(state)
    this.#bytes += sizeBytes
  }

  #state({ topic, partition }: SinkPartition): PartitionState {
    const key = partitionKey(topic, partition)
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const state = { topic, partition, waiting: 0, fetchedTo: 0, end: 0 }
    this.#partitions.set(key, state)
    return state
  }

  #trim(): void {
    if (this.#head < 4096 && this.#head < this.#entries.length) return
    this.#entries.splice(0, this.#head)
    this.#origins.splice(0, this.#head)
    this.#head = 0
  }
}

interface PartitionState extends SinkPartition {
  /** Records of it in the queue. */
  waiting: number
  fetchedTo: number
  end: number
}
