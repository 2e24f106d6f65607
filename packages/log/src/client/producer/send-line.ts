import type { Environment } from '../../environment/environment.ts'
import type { MillraceError } from '../../errors.ts'
import { partitionForKey } from '../../wire/murmur2.ts'
import type { ClusterMetadata } from '../cluster-metadata.ts'
import { BufferFullError } from '../errors.ts'
import type { ProducerConfig, ProducerRecord, RecordMetadata } from './producer-options.ts'
import { type RecordAccumulator, recordSizeBytes } from './record-accumulator.ts'
import type { StickyPartitioner } from './sticky-partitioner.ts'

/** A record on its way into the buffer, and who waits for it. */
export interface PendingSend {
  readonly record: ProducerRecord
  readonly resolve: (metadata: RecordMetadata) => void
  readonly reject: (error: unknown) => void
}

/** What a line works with. */
export interface SendLineParts {
  readonly environment: Environment
  readonly metadata: ClusterMetadata
  readonly config: ProducerConfig
  readonly accumulator: RecordAccumulator
  readonly sticky: StickyPartitioner
}

/**
 * Records that were sent, in order, on their way into the buffer. Nearly all go straight through; one that waits, for its topic to be known or
 * for room, holds up those behind it, so that records of one partition keep their order.
 */
export class SendLine {
  readonly #parts: SendLineParts
  #line: PendingSend[] = []
  #moving: Promise<void> | undefined

  constructor(parts: SendLineParts) {
    this.#parts = parts
  }

  push(pending: PendingSend): void {
    if (this.#moving === undefined && this.#mayEnter(pending.record)) {
      this.#enter(pending)
      return
    }
    this.#line.push(pending)
    this.#moving ??= this.#move().finally(() => {
      this.#moving = undefined
    })
  }

  /** Resolves when nothing waits in line. */
  async empty(): Promise<void> {
    while (this.#moving !== undefined) await this.#moving
  }

  /** Turns everybody in line away. */
  dismiss(error: MillraceError): void {
    for (const { reject } of this.#line.splice(0)) reject(error)
  }

  async #move(): Promise<void> {
    for (let next = this.#line[0]; next !== undefined; next = this.#line[0]) {
      try {
        await this.#prepare(next.record)
      } catch (error) {
        // Dismissed meanwhile, it was told so already.
        if (this.#line[0] === next) this.#line.shift()?.reject(error)
        continue
      }
      if (this.#line[0] !== next) continue
      this.#line.shift()
      this.#enter(next)
    }
  }

  #mayEnter({ topic, partition }: ProducerRecord): boolean {
    const { metadata, accumulator, config } = this.#parts
    const placed = partition !== undefined || metadata.topic(topic) !== undefined
    return placed && accumulator.bufferedBytes < config.bufferBytes
  }

  async #prepare({ topic, partition }: ProducerRecord): Promise<void> {
    const { metadata, config, accumulator } = this.#parts
    const timeoutMs = config.deliveryTimeoutMs
    if (partition === undefined) await metadata.require(topic, { create: config.createTopics, timeoutMs })
    if (accumulator.bufferedBytes >= config.bufferBytes) await this.#room(timeoutMs)
  }

  #room(timeoutMs: number): Promise<void> {
    const { environment, accumulator, config } = this.#parts
    return new Promise((resolve, reject) => {
      const timer = environment.timers.set(timeoutMs, () => reject(new BufferFullError(config.bufferBytes, timeoutMs)))
      accumulator.whenRoom(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  #enter({ record, resolve, reject }: PendingSend): void {
    const { environment, accumulator } = this.#parts
    const { topic, key, value, headers } = record
    const timestamp = record.timestamp ?? environment.clock.nowMs()
    const sizeBytes = recordSizeBytes(key, value, headers)
    try {
      const queue = accumulator.queue(topic, record.partition ?? this.#choosePartition(record, sizeBytes))
      const batch = accumulator.reserve(queue, sizeBytes)
      batch.awaited.push({ index: batch.recordCount, timestamp, resolve, reject })
      batch.append(key, value, timestamp, headers)
    } catch (error) {
      reject(error)
    }
  }

  #choosePartition({ topic, key }: ProducerRecord, sizeBytes: number): number {
    const partitions = this.#parts.metadata.topic(topic)?.partitions.length ?? 1
    if (key !== null) return partitionForKey(key, partitions)
    return this.#parts.sticky.partition(topic, partitions, sizeBytes)
  }
}
