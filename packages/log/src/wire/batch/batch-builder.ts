import { type Compression, compress, compressionId } from '../compression/compression.ts'
import { crc32c } from '../crc32c.ts'
import { BATCH_HEADER_BYTES, BATCH_OVERHEAD_BYTES, BatchAttribute, BatchField, writeInt53 } from './header.ts'
import type { Header } from './record-cursor.ts'

const FIRST_BYTES = 4096
/** Attributes, two deltas of at most ten bytes, and the three lengths and count of at most five bytes each. */
const RECORD_OVERHEAD_BYTES = 5 + 1 + 10 + 10 + 5 + 5 + 5
/** Up to this size a loop is faster than a call that copies. */
const LOOP_COPY_BYTES = 16
const INT28_MAX = 0x0fff_ffff
const NO_HEADERS: readonly Header[] = []

/** How to begin a batch. */
export interface BuilderOptions {
  /** Size of the first block; it doubles as needed. Default 4 KiB. */
  readonly initialBytes?: number
  /** Time from which compaction may drop the batch's tombstones (KIP-534); timestamps are then relative to it. */
  readonly deleteHorizonMs?: number
}

/** What a batch's header says besides what its records do. */
export interface BuildOptions {
  /** Default 0, as a producer sends it. */
  readonly baseOffset?: number
  /** Default -1, none. */
  readonly leaderEpoch?: number
  /** Default -1, none. */
  readonly producerId?: number
  /** Default -1, none. */
  readonly producerEpoch?: number
  /** Default -1, none. */
  readonly baseSequence?: number
  /** Default `none`. */
  readonly codec?: Compression
  readonly transactional?: boolean
  readonly control?: boolean
  /** Time that the broker appends the batch, when that replaces the records' own. */
  readonly logAppendTimeMs?: number
}

/**
 * Collects records into one batch (magic 2). `append` copies keys and values and allocates nothing; `build` gives the batch
 * away in a buffer of its exact size. After `build` call `reset` to use the builder, and its block, again.
 */
export class RecordBatchBuilder {
  #buffer: Buffer
  #position = BATCH_HEADER_BYTES
  #recordCount = 0
  #baseTimestamp = -1
  #maxTimestamp = -1
  #deleteHorizonMs: number | undefined

  constructor(options: BuilderOptions = {}) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(options.initialBytes ?? FIRST_BYTES, BATCH_HEADER_BYTES))
    this.reset(options.deleteHorizonMs)
  }

  /** Size of the batch as collected so far, header included, before compression. */
  get sizeBytes(): number {
    return this.#position
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Adds a record. A null value is a tombstone. `timestamp` is in milliseconds since the epoch. */
  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestamp: number,
    headers: readonly Header[] = NO_HEADERS
  ): void {
    const keyLength = key === null ? 0 : key.length
    const valueLength = value === null ? 0 : value.length
    const headersLength = headers.length === 0 ? 1 : headersBytes(headers)
    const buffer = this.#room(keyLength + valueLength + headersLength + RECORD_OVERHEAD_BYTES)
    if (this.#recordCount === 0) this.#begin(timestamp)
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const offsetDelta = this.#recordCount++
    const keyPrefix = key === null ? -1 : keyLength
    const valuePrefix = value === null ? -1 : valueLength
    const sizeBytes =
      1 +
      varintBytes(timestampDelta) +
      varintBytes(offsetDelta) +
      varintBytes(keyPrefix) +
      keyLength +
      varintBytes(valuePrefix) +
      valueLength +
      headersLength
    let at = writeVarint(buffer, sizeBytes, this.#position)
    buffer[at++] = 0
    at = writeVarint(buffer, timestampDelta, at)
    at = writeVarint(buffer, offsetDelta, at)
    at = writeVarint(buffer, keyPrefix, at)
    if (key !== null) at = copy(buffer, key, at)
    at = writeVarint(buffer, valuePrefix, at)
    if (value !== null) at = copy(buffer, value, at)
    if (headers.length === 0) buffer[at++] = 0
    else at = writeHeaders(buffer, headers, at)
    this.#position = at
  }

  /** The batch of what was appended; it may be empty. The buffer belongs to the caller. */
  build(options: BuildOptions = {}): Buffer {
    const codec = options.codec ?? 'none'
    const records = this.#buffer.subarray(BATCH_HEADER_BYTES, this.#position)
    const packed = codec === 'none' || this.#recordCount === 0 ? records : compress(codec, records)
    const batch = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + packed.length)
    batch.set(packed, BATCH_HEADER_BYTES)
    this.#writeHeader(batch, options)
    return batch
  }

  /** Drops what was appended and begins a new batch in the same block. */
  reset(deleteHorizonMs?: number): void {
    this.#position = BATCH_HEADER_BYTES
    this.#recordCount = 0
    this.#deleteHorizonMs = deleteHorizonMs
    this.#baseTimestamp = deleteHorizonMs ?? -1
    this.#maxTimestamp = -1
  }

  #begin(timestamp: number): void {
    this.#maxTimestamp = timestamp
    if (this.#deleteHorizonMs === undefined) this.#baseTimestamp = timestamp
  }

  #room(sizeBytes: number): Buffer {
    const needed = this.#position + sizeBytes
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
      grown.set(this.#buffer.subarray(0, this.#position))
      this.#buffer = grown
    }
    return this.#buffer
  }

  #writeHeader(batch: Buffer, options: BuildOptions): void {
    writeInt53(batch, options.baseOffset ?? 0, BatchField.baseOffset)
    batch.writeInt32BE(batch.length - BATCH_OVERHEAD_BYTES, BatchField.length)
    batch.writeInt32BE(options.leaderEpoch ?? -1, BatchField.leaderEpoch)
    batch.writeInt8(2, BatchField.magic)
    batch.writeInt16BE(this.#attributes(options), BatchField.attributes)
    batch.writeInt32BE(Math.max(0, this.#recordCount - 1), BatchField.lastOffsetDelta)
    writeInt53(batch, this.#baseTimestamp, BatchField.baseTimestamp)
    writeInt53(batch, options.logAppendTimeMs ?? this.#maxTimestamp, BatchField.maxTimestamp)
    writeInt53(batch, options.producerId ?? -1, BatchField.producerId)
    batch.writeInt16BE(options.producerEpoch ?? -1, BatchField.producerEpoch)
    batch.writeInt32BE(options.baseSequence ?? -1, BatchField.baseSequence)
    batch.writeInt32BE(this.#recordCount, BatchField.recordCount)
    batch.writeUInt32BE(crc32c(batch, BatchField.attributes), BatchField.crc)
  }

  #attributes(options: BuildOptions): number {
    const codec = this.#recordCount === 0 ? 'none' : (options.codec ?? 'none')
    return (
      compressionId(codec) |
      (options.logAppendTimeMs === undefined ? 0 : BatchAttribute.logAppendTime) |
      (options.transactional === true ? BatchAttribute.transactional : 0) |
      (options.control === true ? BatchAttribute.control : 0) |
      (this.#deleteHorizonMs === undefined ? 0 : BatchAttribute.deleteHorizon)
    )
  }
}

function copy(target: Buffer, source: Uint8Array, at: number): number {
  const length = source.length
  if (length > LOOP_COPY_BYTES) target.set(source, at)
  else for (let i = 0; i < length; i++) target[at + i] = source[i]
  return at + length
}

/** Size of a zigzag varint. */
function varintBytes(value: number): number {
  const folded = value < 0 ? -2 * value - 1 : 2 * value
  if (folded < 0x80) return 1
  if (folded < 0x4000) return 2
  if (folded < 0x20_0000) return 3
  if (folded <= INT28_MAX) return 4
  let size = 5
  for (let rest = folded / 0x8_0000_0000; rest >= 1; rest /= 128) size++
  return size
}

/** Writes a zigzag varint and returns the position after it. */
function writeVarint(buffer: Buffer, value: number, at: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let position = at
  while (rest > INT28_MAX) {
    buffer[position++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest > 0x7f) {
    buffer[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[position++] = rest
  return position
}

function headersBytes(headers: readonly Header[]): number {
  let sizeBytes = varintBytes(headers.length)
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    sizeBytes += varintBytes(keyBytes) + keyBytes
    sizeBytes += value === null ? 1 : varintBytes(value.length) + value.length
  }
  return sizeBytes
}

function writeHeaders(buffer: Buffer, headers: readonly Header[], at: number): number {
  let position = writeVarint(buffer, headers.length, at)
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    position = writeVarint(buffer, keyBytes, position)
    position += buffer.write(key, position, keyBytes, 'utf8')
    position = writeVarint(buffer, value === null ? -1 : value.length, position)
    if (value !== null) position = copy(buffer, value, position)
  }
  return position
}
