import type { Environment, Timer } from '../../environment/environment.ts'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import type { Header } from '../../wire/batch/record-cursor.ts'
import { RecordTooLargeError } from '../errors.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerConfig } from './producer-options.ts'

/** More than a record's framing takes beside key, value and headers: six varints of at most ten bytes, and attributes. */
const RECORD_FRAMING_BYTES = 61
const HEADER_FRAMING_BYTES = 10
const MAX_IDLE_BUILDERS = 16

/** Upper bound of a record's encoded size in bytes. */
export function recordSizeBytes(key: Buffer | null, value: Buffer | null, headers?: readonly Header[]): number {
  const sizeBytes = RECORD_FRAMING_BYTES + (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
  return headers === undefined || headers.length === 0 ? sizeBytes : sizeBytes + headerBytes(headers)
}

function headerBytes(headers: readonly Header[]): number {
  // A UTF-16 unit takes at most three bytes of UTF-8.
  const bytes = (header: Header) => HEADER_FRAMING_BYTES + header.key.length * 3 + (header.value?.length ?? 0)
  return headers.reduce((sum, header) => sum + bytes(header), 0)
}

/**
 * Collects records into batches by partition. A batch is sealed when it is full, when `lingerMs` have passed since the oldest open batch
 * began, or by `sealAll`; `onSealed` is then called.
 */
export class RecordAccumulator {
  readonly #environment: Environment
  readonly #config: ProducerConfig
  readonly #onSealed: () => void
  readonly #topics = new Map<string, PartitionQueue[]>()
  readonly #queues: PartitionQueue[] = []
  #lingering: Timer | undefined
  #bufferedBytes = 0
  /** Builders of batches that were sent, with the blocks they have grown. */
  readonly #builders: RecordBatchBuilder[] = []
  readonly #roomWaiters: (() => void)[] = []

  constructor(environment: Environment, config: ProducerConfig, onSealed: () => void) {
    this.#environment = environment
    this.#config = config
    this.#onSealed = onSealed
  }

  /** Bytes of records appended and not yet settled. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  get queues(): readonly PartitionQueue[] {
    return this.#queues
  }

  queue(topic: string, partition: number): PartitionQueue {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) {
      partitions = []
      this.#topics.set(topic, partitions)
    }
    return partitions[partition] ?? this.#addQueue(partitions, topic, partition)
  }

  /**
   * Makes room for a record of `sizeBytes` and returns the partition's open batch, for the caller to append to at once.
   * @throws RecordTooLargeError when it is larger than a request may be.
   */
  reserve(queue: PartitionQueue, sizeBytes: number): ProducerBatch {
    let batch = queue.open
    if (batch !== undefined && batch.reservedBytes + sizeBytes > this.#config.batchBytes) {
      queue.seal()
      this.#onSealed()
      batch = undefined
    }
    if (batch === undefined) {
      if (sizeBytes > this.#config.maxRequestBytes) this.#refuse(queue, sizeBytes)
      batch = queue.openBatch(this.#environment.clock.monotonicMs(), this.#builders.pop() ?? new RecordBatchBuilder())
      this.#linger()
    }
    batch.reservedBytes += sizeBytes
    this.#bufferedBytes += sizeBytes
    return batch
  }

  /** Gives back the room of a batch that is settled. */
  release(batch: ProducerBatch): void {
    this.#bufferedBytes -= batch.reservedBytes
    while (this.#bufferedBytes < this.#config.bufferBytes) {
      const next = this.#roomWaiters.shift()
      if (next === undefined) return
      next()
    }
  }

  /** Takes a builder that is not needed any more, for a later batch. */
  recycle(builder: RecordBatchBuilder): void {
    if (this.#builders.length >= MAX_IDLE_BUILDERS) return
    builder.reset()
    this.#builders.push(builder)
  }

  /** Calls `proceed` once there is room again. At once if there is. */
  whenRoom(proceed: () => void): void {
    if (this.#bufferedBytes < this.#config.bufferBytes) proceed()
    else this.#roomWaiters.push(proceed)
  }

  /** Seals every open batch. */
  sealAll(): void {
    this.#lingering?.cancel()
    this.#lingering = undefined
    for (const queue of this.#queues) queue.seal()
    this.#onSealed()
  }

  #linger(): void {
    if (this.#lingering !== undefined) return
    const { timers } = this.#environment
    if (this.#config.lingerMs > 0) {
      this.#lingering = timers.set(this.#config.lingerMs, () => this.sealAll())
      return
    }
    const lingering = { cancel: () => {} }
    this.#lingering = lingering
    timers.soon(() => {
      if (this.#lingering === lingering) this.sealAll()
    })
  }

  #addQueue(partitions: PartitionQueue[], topic: string, partition: number): PartitionQueue {
    const queue = new PartitionQueue(topic, partition)
    partitions[partition] = queue
    this.#queues.push(queue)
    return queue
  }

  #refuse({ topic, partition }: PartitionQueue, sizeBytes: number): never {
    const limit = this.#config.maxRequestBytes
    const message = `a record of ${sizeBytes} bytes for ${topic}-${partition} is larger than maxRequestBytes (${limit})`
    throw new RecordTooLargeError({ message, topic, partition, sizeBytes })
  }
}
