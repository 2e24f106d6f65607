import { InvariantError, type MillraceError } from '../../errors.ts'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import type { Header } from '../../wire/batch/record-cursor.ts'
import type { Compression } from '../../wire/compression/compression.ts'
import type { RecordMetadata } from './producer-options.ts'
import type { ProducerIdentity } from './producer-session.ts'
import { SentBytes } from './sent-bytes.ts'

/** Who waits for one record of a batch. */
export interface AwaitedRecord {
  /** Position in the batch. */
  readonly index: number
  readonly timestamp: number
  readonly resolve: (metadata: RecordMetadata) => void
  readonly reject: (error: MillraceError) => void
}

/** Where a batch belongs. */
export interface BatchPlace {
  readonly topic: string
  readonly partition: number
  /** Place among the batches of the partition; a repetition goes back to it. */
  readonly order: number
  /** Monotonic milliseconds of the first append. */
  readonly createdMs: number
}

/** How batches are encoded. */
export interface BatchEncoding {
  readonly compression: Compression
  readonly transactional: boolean
  /** Takes back the builder of a batch that was encoded. */
  readonly recycle?: (builder: RecordBatchBuilder) => void
}

/**
 * A batch of one partition's records from the first append to its end. Once sent it keeps identity and sequence number, so that the broker
 * can tell a repetition; `renumber` is for a batch that was certainly not written.
 */
export class ProducerBatch {
  readonly place: BatchPlace
  /** Times that it was sent. */
  attempts = 0
  /** Whether a request that carried it got no answer, so that it may be written already. */
  maybeWritten = false
  /** As whom it was sent; undefined before. */
  identity: ProducerIdentity | undefined
  baseSequence = -1
  /** Bytes of the producer's buffer that it takes. */
  reservedBytes = 0
  readonly awaited: AwaitedRecord[] = []
  readonly #settled: (() => void)[] = []
  #builder: RecordBatchBuilder | undefined
  #sent: SentBytes | undefined
  #totals = { recordCount: 0, sizeBytes: 0 }

  constructor(place: BatchPlace, builder = new RecordBatchBuilder()) {
    this.place = place
    this.#builder = builder
  }

  /** Copies a record into the batch, which must not have been sent. */
  append(key: Buffer | null, value: Buffer | null, timestamp: number, headers?: readonly Header[]): void {
    if (this.#builder === undefined) throw new InvariantError('a record came to a batch that was sent')
    this.#builder.append(key, value, timestamp, headers)
  }

  get recordCount(): number {
    return this.#builder?.recordCount ?? this.#totals.recordCount
  }

  /** Bytes of its records before compression. */
  get sizeBytes(): number {
    return this.#builder?.sizeBytes ?? this.#totals.sizeBytes
  }

  /** Bytes to send, to be given away. The first call fixes identity and sequence number. */
  encode(identity: ProducerIdentity, baseSequence: number, encoding: BatchEncoding): Buffer {
    this.attempts++
    if (this.#sent !== undefined && this.identity === identity && this.baseSequence === baseSequence) {
      return this.#sent.repetition()
    }
    const bytes = this.#sent?.renumbered(identity, baseSequence) ?? this.#build(identity, baseSequence, encoding)
    this.#sent = new SentBytes(bytes)
    this.identity = identity
    this.baseSequence = baseSequence
    this.maybeWritten = false
    return bytes
  }

  /** Takes the place of a batch that was sent, with a part of its records and sequence numbers. */
  inherit(whole: ProducerBatch, baseSequence: number): void {
    this.attempts = whole.attempts
    this.identity = whole.identity
    this.baseSequence = baseSequence
  }

  /** Calls `settled` once the batch is acknowledged or given up. */
  whenSettled(settled: () => void): void {
    this.#settled.push(settled)
  }

  acknowledge(baseOffset: number, logAppendTimeMs: number): void {
    const { topic, partition } = this.place
    for (const { index, timestamp, resolve } of this.awaited) {
      const offset = baseOffset < 0 ? -1 : baseOffset + index
      resolve({ topic, partition, offset, timestamp: logAppendTimeMs < 0 ? timestamp : logAppendTimeMs })
    }
    this.settle()
  }

  fail(error: MillraceError): void {
    for (const { reject } of this.awaited) reject(error)
    this.settle()
  }

  /** Tells those who wait for the batch as a whole that it is over. */
  settle(): void {
    for (const settled of this.#settled) settled()
    this.#settled.length = 0
  }

  /** The encoded bytes, as first sent; undefined before. Read-only. */
  sentBytes(): Buffer | undefined {
    return this.#sent?.repetition()
  }

  /** Whether nobody awaits some of its records, so that a failure has to surface elsewhere. */
  get unawaited(): boolean {
    return this.awaited.length < this.recordCount
  }

  #build(identity: ProducerIdentity, baseSequence: number, encoding: BatchEncoding): Buffer {
    const builder = this.#builder
    if (builder === undefined) throw new InvariantError('a batch that was built has no builder')
    this.#totals = { recordCount: builder.recordCount, sizeBytes: builder.sizeBytes }
    this.#builder = undefined
    const { transactional, compression, recycle } = encoding
    const bytes = builder.build({ ...identity, baseSequence, transactional, codec: compression })
    recycle?.(builder)
    return bytes
  }
}
