import { DecodeError } from '../codec/errors.ts'
import { type Compression, compressionOf, DECOMPRESSION_LIMIT_BYTES, decompress } from '../compression/compression.ts'
import { findBatchDefect } from './batch-defect.ts'
import {
  BATCH_HEADER_BYTES,
  BatchAttribute,
  BatchField,
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchLastOffset,
  batchLeaderEpoch,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  readInt53
} from './header.ts'
import { RecordCursor } from './record-cursor.ts'

/** A record batch as it lies in the log. Its header is read when asked for, its records when walked. The bytes are read-only. */
export class RecordBatch {
  /** The whole batch, header included, and nothing else. */
  readonly buffer: Buffer
  readonly recordCount: number
  readonly #attributes: number

  /** Wraps the bytes of one batch, which `decodeBatches` has found or `validateBatch` has checked. */
  constructor(buffer: Buffer) {
    this.buffer = buffer
    this.recordCount = batchRecordCount(buffer)
    this.#attributes = batchAttributes(buffer)
  }

  get baseOffset(): number {
    return batchBaseOffset(this.buffer)
  }

  /** Offset of the last record that the batch ever had; compaction may have removed it. */
  get lastOffset(): number {
    return batchLastOffset(this.buffer)
  }

  get leaderEpoch(): number {
    return batchLeaderEpoch(this.buffer)
  }

  /** Greatest timestamp of its records, milliseconds since the epoch. */
  get maxTimestamp(): number {
    return batchMaxTimestamp(this.buffer)
  }

  /** Id of the idempotent producer that made it; -1 when there is none. */
  get producerId(): number {
    return batchProducerId(this.buffer)
  }

  get producerEpoch(): number {
    return batchProducerEpoch(this.buffer)
  }

  /** Sequence number of its first record; -1 without an idempotent producer. */
  get baseSequence(): number {
    return batchBaseSequence(this.buffer)
  }

  get isTransactional(): boolean {
    return (this.#attributes & BatchAttribute.transactional) !== 0
  }

  /** Whether its records are markers for clients (`controlRecord`) instead of data. */
  get isControl(): boolean {
    return (this.#attributes & BatchAttribute.control) !== 0
  }

  /** Time from which compaction may drop the batch's tombstones; undefined when it is not set (KIP-534). */
  get deleteHorizonMs(): number | undefined {
    if ((this.#attributes & BatchAttribute.deleteHorizon) === 0) return undefined
    return readInt53(this.buffer, BatchField.baseTimestamp)
  }

  /** @throws DecodeError when the attributes name a codec that does not exist. */
  get codec(): Compression {
    return (
      compressionOf(this.#attributes) ?? fail(`codec ${this.#attributes & 7} does not exist`, BatchField.attributes)
    )
  }

  /**
   * A cursor before the first record. Unpacks the records when they are compressed, each time it is called.
   * @throws DecodeError when they cannot be unpacked.
   * @throws DecompressionLimitError when they unpack to more than `limitBytes` (default 64 MiB).
   */
  records(limitBytes: number = DECOMPRESSION_LIMIT_BYTES): RecordCursor {
    const { buffer, codec } = this
    const frame = {
      baseOffset: this.baseOffset,
      baseTimestamp: readInt53(buffer, BatchField.baseTimestamp),
      logAppendTime: (this.#attributes & BatchAttribute.logAppendTime) === 0 ? undefined : this.maxTimestamp,
      recordCount: this.recordCount
    }
    if (codec === 'none' || frame.recordCount === 0) {
      return new RecordCursor(buffer, frame, { start: BATCH_HEADER_BYTES, end: buffer.length })
    }
    const records = decompress(codec, buffer.subarray(BATCH_HEADER_BYTES), limitBytes)
    return new RecordCursor(records, frame, { start: 0, end: records.length })
  }
}

/**
 * The batches of a chunk, in order, as views of it. A cut-off batch at the end is left out, as brokers may cut there.
 * Checksums are not computed: see `validateBatch`.
 * @throws DecodeError when a batch has an impossible size or is not of magic 2.
 */
export function decodeBatches(chunk: Buffer): RecordBatch[] {
  const batches: RecordBatch[] = []
  let start = 0
  while (chunk.length - start >= BATCH_HEADER_BYTES) {
    const sizeBytes = batchSizeBytes(chunk, start)
    if (sizeBytes < BATCH_HEADER_BYTES) fail(`a batch claims ${sizeBytes} bytes`, start + BatchField.length)
    const magic = chunk.readInt8(start + BatchField.magic)
    if (magic !== 2) fail(`a batch is of magic ${magic}, only 2 is read`, start + BatchField.magic)
    if (sizeBytes > chunk.length - start) break
    batches.push(new RecordBatch(chunk.subarray(start, start + sizeBytes)))
    start += sizeBytes
  }
  return batches
}

/**
 * Checks that a buffer is exactly one batch whose header and checksum hold, and wraps it. Its records are not looked at.
 * @throws DecodeError that names the first defect.
 */
export function validateBatch(buffer: Buffer): RecordBatch {
  const defect = findBatchDefect(buffer)
  if (defect !== undefined) fail(defect.message, defect.position)
  const sizeBytes = batchSizeBytes(buffer)
  if (sizeBytes !== buffer.length) fail(`${buffer.length - sizeBytes} bytes follow the batch`, sizeBytes)
  return new RecordBatch(buffer)
}

function fail(reason: string, position: number): never {
  throw new DecodeError({ reason, path: '', position })
}
