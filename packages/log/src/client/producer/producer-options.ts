import { UsageError } from '../../errors.ts'
import type { Header } from '../../wire/batch/record-cursor.ts'
import type { Compression } from '../../wire/compression/compression.ts'

/** Options of a producer. */
export interface ProducerOptions {
  /** Makes the producer transactional; only one producer with an id lives at a time, an earlier one is fenced. */
  readonly transactionalId?: string
  /** Whether a repeated request is recognized as such, so that each record is written once and in order. Default true. */
  readonly idempotent?: boolean
  /** Who must have a record before it counts: all in-sync replicas (-1, default), the leader (1), nobody (0). */
  readonly acks?: -1 | 0 | 1
  /** How long a batch waits to become full. Default 0: it is sent at the end of the event loop's turn, or at `flush`. */
  readonly lingerMs?: number
  /** A batch of this many bytes is sent at once. Default 256 KiB. */
  readonly batchBytes?: number
  /** Most bytes of batches in one request, and so the largest record. Default 1 MiB. */
  readonly maxRequestBytes?: number
  /** Default `none`. */
  readonly compression?: Compression
  /** How long the coordinator lets a transaction be open before it aborts it. Default 60,000. */
  readonly transactionTimeoutMs?: number
  /** How long a record may take from `send` to its acknowledgement, all repetitions included. Default 120,000. */
  readonly deliveryTimeoutMs?: number
  /** Requests under way to one broker, 1 to 5. More than 1 without idempotence may change the order on a repetition. Default 5. */
  readonly maxInFlight?: number
  /** Bytes of records not yet acknowledged above which `send` waits. Default 64 MiB. */
  readonly bufferBytes?: number
  /**
   * Whether a topic that is not there is made with the broker's defaults, where the broker allows it (`auto.create.topics.enable`). False: what is sent to it
   * waits for it as long as delivery may take. Default true.
   */
  readonly createTopics?: boolean
}

/** One record to send. */
export interface ProducerRecord {
  readonly topic: string
  /** Chosen from the key as Kafka's Java client chooses it, or sticking to one partition a batch, when absent. */
  readonly partition?: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Milliseconds since the epoch. Default now. */
  readonly timestamp?: number
  readonly headers?: readonly Header[]
}

/** Where a record landed. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 with `acks` 0. */
  readonly offset: number
  /** The record's own, or the broker's time of append where the topic says so. */
  readonly timestamp: number
}

/** All options, defaults filled in. `transactionalId` is null for a producer without transactions. */
export type ProducerConfig = Required<Omit<ProducerOptions, 'transactionalId'>> & {
  readonly transactionalId: string | null
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** Fills in defaults. @throws UsageError for an option out of range, naming it. */
export function producerConfig(options: ProducerOptions): ProducerConfig {
  const config: ProducerConfig = {
    idempotent: true,
    acks: -1,
    lingerMs: 0,
    batchBytes: 256 * kibibyte,
    maxRequestBytes: mebibyte,
    compression: 'none',
    transactionTimeoutMs: 60_000,
    deliveryTimeoutMs: 120_000,
    maxInFlight: 5,
    bufferBytes: 64 * mebibyte,
    createTopics: true,
    ...options,
    transactionalId: options.transactionalId ?? null
  }
  demand(config.transactionalId !== '', 'transactionalId must not be empty')
  demand(config.transactionalId === null || config.idempotent, 'a transactional producer must be idempotent')
  demand(
    !config.idempotent || config.acks === -1,
    'an idempotent producer needs acks -1; set idempotent to false for others'
  )
  demand(config.maxInFlight >= 1 && config.maxInFlight <= 5, 'maxInFlight must be 1 to 5, as many as brokers remember')
  demand(config.lingerMs >= 0, 'lingerMs must not be negative')
  demand(config.batchBytes > 0, 'batchBytes must be positive')
  demand(config.maxRequestBytes >= config.batchBytes, 'maxRequestBytes must be at least batchBytes')
  demand(config.bufferBytes >= config.batchBytes, 'bufferBytes must be at least batchBytes')
  demand(config.deliveryTimeoutMs > 0, 'deliveryTimeoutMs must be positive')
  return config
}

function demand(holds: boolean, message: string): void {
  if (!holds) throw new UsageError(`producer options: ${message}`)
}
