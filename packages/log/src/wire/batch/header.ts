/**
 * The 61-byte header of a record batch, magic 2, big endian (KIP-98). Offsets into the batch and accessors that read and
 * patch them in place; nothing here looks at the records.
 *
 * Base offset and leader epoch lie before the CRC, so that a broker may set them without computing it again.
 */
export const BATCH_HEADER_BYTES = 61
/** Bytes of base offset and length, which `batchLength` does not count. */
export const BATCH_OVERHEAD_BYTES = 12

/** Byte positions of the header's fields. */
export const BatchField = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57
} as const

/** Bits of the attributes field; the low three are the compression codec. */
export const BatchAttribute = {
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40
} as const

/** Reads a signed 64-bit integer that is known to lie within 2^53. */
export function readInt53(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * 0x1_0000_0000 + buffer.readUInt32BE(position + 4)
}

/** Writes a signed 64-bit integer that lies within 2^53. */
export function writeInt53(buffer: Buffer, value: number, position: number): void {
  buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), position)
  buffer.writeUInt32BE(((value % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000, position + 4)
}

/** Base offset of the batch at `start`. */
export function batchBaseOffset(buffer: Buffer, start = 0): number {
  return readInt53(buffer, start + BatchField.baseOffset)
}

/** Whole size of the batch at `start` in bytes, header included. */
export function batchSizeBytes(buffer: Buffer, start = 0): number {
  return buffer.readInt32BE(start + BatchField.length) + BATCH_OVERHEAD_BYTES
}

/** Leader epoch stamped on the batch at `start`. */
export function batchLeaderEpoch(buffer: Buffer, start = 0): number {
  return buffer.readInt32BE(start + BatchField.leaderEpoch)
}

/** Attribute bits of the batch at `start`. */
export function batchAttributes(buffer: Buffer, start = 0): number {
  return buffer.readInt16BE(start + BatchField.attributes)
}

/** Offset of the last record of the batch at `start`. */
export function batchLastOffset(buffer: Buffer, start = 0): number {
  return batchBaseOffset(buffer, start) + buffer.readInt32BE(start + BatchField.lastOffsetDelta)
}

/** Greatest record timestamp of the batch at `start`, milliseconds since the epoch. */
export function batchMaxTimestamp(buffer: Buffer, start = 0): number {
  return readInt53(buffer, start + BatchField.maxTimestamp)
}

/** Producer id of the batch at `start`; -1 when it has none. */
export function batchProducerId(buffer: Buffer, start = 0): number {
  return readInt53(buffer, start + BatchField.producerId)
}

/** Producer epoch of the batch at `start`; -1 when it has none. */
export function batchProducerEpoch(buffer: Buffer, start = 0): number {
  return buffer.readInt16BE(start + BatchField.producerEpoch)
}

/** Sequence number of the first record of the batch at `start`; -1 when it has none. */
export function batchBaseSequence(buffer: Buffer, start = 0): number {
  return buffer.readInt32BE(start + BatchField.baseSequence)
}

/** Number of records in the batch at `start`. */
export function batchRecordCount(buffer: Buffer, start = 0): number {
  return buffer.readInt32BE(start + BatchField.recordCount)
}

/** Stamps the two fields a broker sets. A retry of the same bytes resets them through this function too. */
export function stampBatch(buffer: Buffer, baseOffset: number, leaderEpoch: number): void {
  writeInt53(buffer, baseOffset, BatchField.baseOffset)
  buffer.writeInt32BE(leaderEpoch, BatchField.leaderEpoch)
}
