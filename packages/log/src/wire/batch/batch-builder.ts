import { type Compression, compress, compressionId } from '../compression/compression.ts'
import { crc32c } from '../crc32c.ts'
import { BATCH_HEADER_BYTES, BATCH_OVERHEAD_BYTES, BatchAttribute, BatchField, writeInt53 } from './header.ts'
import { type Header, NO_HEADERS } from './record-cursor.ts'
import { varintBytes, writeVarint, writeVarlong } from './varint.ts'

const FIRST_BYTES = 4096
/** Filled part of a block from which the block itself becomes the batch. */
const GIVEN_AWAY_FROM = 0.75
/** Attributes, two deltas of at most ten bytes, and the three lengths and count of at most five bytes each. */
const RECORD_OVERHEAD_BYTES = 5 + 1 + 10 + 10 + 5 + 5 + 5
/** Up to this size a loop is faster than a call that copies. */
const LOOP_COPY_BYTES = 16
/** Attributes, and deltas and lengths of usual size. */
const TYPICAL_OVERHEAD_BYTES = 7
const NO_BLOCK = Buffer.alloc(0)

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
 * away, and the builder can be used for the next one.
 */
export class RecordBatchBuilder {
  /** Empty until something is appended, and after the block was given away. */
  #buffer: Buffer = NO_BLOCK
  #blockBytes: number
  #position = BATCH_HEADER_BYTES
  #recordCount = 0
  #baseTimestamp = -1
  #maxTimestamp = -1
  #deleteHorizonMs: number | undefined

  constructor(options: BuilderOptions = {}) {
    this.#blockBytes = options.initialBytes ?? FIRST_BYTES
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
    // The size comes before the record and is known after it: its own size is guessed, and the record moved in the rare
    // case that the guess is wrong.
    const guess = varintBytes(keyLength + valueLength + headersLength + TYPICAL_OVERHEAD_BYTES)
    const start = this.#position + guess
    let at = start
    buffer[at++] = 0
    at = writeVarlong(buffer, timestampDelta, at)
    at = writeVarint(buffer, offsetDelta, at)
    at = writeBytes(buffer, key, at)
    at = writeBytes(buffer, value, at)
    if (headers.length === 0) buffer[at++] = 0
    else at = writeHeaders(buffer, headers, at)
    const sizeBytes = at - start
    if (varintBytes(sizeBytes) !== guess) at += this.#move(start, at)
    writeVarint(buffer, sizeBytes, this.#position)
    this.#position = at
  }

  /** The batch of what was appended; it may be empty. The buffer belongs to the caller, and the builder is empty again. */
  build(options: BuildOptions = {}): Buffer {
    const codec = options.codec ?? 'none'
    const plain = codec === 'none' || this.#recordCount === 0
    const batch = plain ? this.#take() : this.#pack(codec)
    this.#writeHeader(batch, options)
    this.reset()
    return batch
  }

  /** Drops what was appended and begins a new batch. */
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

  /** Moves the record that was written from `start` up to `end` to where its size leaves it, and returns by how much. */
  #move(start: number, end: number): number {
    const to = this.#position + varintBytes(end - start)
    this.#buffer.copyWithin(to, start, end)
    return to - start
  }

  #room(sizeBytes: number): Buffer {
    const needed = this.#position + sizeBytes
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#blockBytes, this.#buffer.length * 2))
      grown.set(this.#buffer.subarray(0, this.#position))
      this.#buffer = grown
      this.#blockBytes = grown.length
    }
    return this.#buffer
  }

  /** A block that is nearly full is given away; what fills less of one is copied, so that a batch holds no memory in vain. */
  #take(): Buffer {
    const filled = this.#room(0).subarray(0, this.#position)
    if (filled.length >= this.#buffer.length * GIVEN_AWAY_FROM) {
      this.#buffer = NO_BLOCK
      return filled
    }
    const batch = Buffer.allocUnsafeSlow(filled.length)
    batch.set(filled)
    return batch
  }

  #pack(codec: Compression): Buffer {
    const packed = compress(codec, this.#buffer.subarray(BATCH_HEADER_BYTES, this.#position))
    const batch = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + packed.length)
    batch.set(packed, BATCH_HEADER_BYTES)
    return batch
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

/** Writes the length and the bytes of a key or value and returns the position after them. */
function writeBytes(target: Buffer, source: Uint8Array | null, at: number): number {
  if (source === null) {
    target[at] = 1
    return at + 1
  }
  const length = source.length
  const position = writeVarint(target, length, at)
  if (length > LOOP_COPY_BYTES) target.set(source, position)
  else for (let i = 0; i < length; i++) target[position + i] = source[i]
  return position + length
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
    position = writeBytes(buffer, value, position)
  }
  return position
}
