import { CorruptionError } from '../../errors.ts'
import { readInt53, writeInt53 } from '../../wire/batch/header.ts'
import { crc32c } from '../../wire/crc32c.ts'
import type { ProducerEntry } from './producer-entry.ts'

const VERSION = 1
/** Version, CRC-32C of all that follows it, number of entries. */
const HEADER_BYTES = 10
const CRC_POSITION = 2
const CHECKED_FROM = 6
const ENTRY_BYTES = 46

/** Kafka's producer snapshot, version 1. Of a producer's batches only the last is kept. */
export function encodeSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const all = [...entries]
  const content = Buffer.alloc(HEADER_BYTES + all.length * ENTRY_BYTES)
  content.writeInt16BE(VERSION, 0)
  content.writeInt32BE(all.length, 6)
  all.forEach((entry, index) => {
    writeEntry(content.subarray(HEADER_BYTES + index * ENTRY_BYTES), entry)
  })
  content.writeUInt32BE(crc32c(content, CHECKED_FROM), CRC_POSITION)
  return content
}

/**
 * Reads a producer snapshot.
 * @throws CorruptionError when its checksum, version or length is wrong.
 */
export function decodeSnapshot(path: string, content: Buffer): ProducerEntry[] {
  const damaged = (problem: string, position: number) =>
    new CorruptionError({ message: `Producer snapshot ${path} is damaged: ${problem}`, path, position })
  if (content.length < HEADER_BYTES) throw damaged('it is cut off', content.length)
  if (content.readInt16BE(0) !== VERSION) throw damaged(`version ${content.readInt16BE(0)} is not ${VERSION}`, 0)
  if (crc32c(content, CHECKED_FROM) !== content.readUInt32BE(CRC_POSITION)) {
    throw damaged('the checksum does not match', CRC_POSITION)
  }
  const count = content.readInt32BE(6)
  if (content.length !== HEADER_BYTES + count * ENTRY_BYTES) throw damaged(`it has not ${count} entries`, 6)
  return Array.from({ length: count }, (_, index) => readEntry(content.subarray(HEADER_BYTES + index * ENTRY_BYTES)))
}

function writeEntry(target: Buffer, entry: ProducerEntry): void {
  const last = entry.batches.at(-1)
  writeInt53(target, entry.producerId, 0)
  target.writeInt16BE(entry.epoch, 8)
  target.writeInt32BE(last?.lastSequence ?? -1, 10)
  writeInt53(target, last?.lastOffset ?? -1, 14)
  target.writeInt32BE(last?.offsetDelta ?? 0, 22)
  writeInt53(target, entry.lastTimestampMs, 26)
  target.writeInt32BE(entry.coordinatorEpoch, 34)
  writeInt53(target, entry.transactionFirstOffset, 38)
}

function readEntry(source: Buffer): ProducerEntry {
  const lastOffset = readInt53(source, 14)
  const lastTimestampMs = readInt53(source, 26)
  const last = {
    lastSequence: source.readInt32BE(10),
    lastOffset,
    offsetDelta: source.readInt32BE(22),
    timestampMs: lastTimestampMs
  }
  return {
    producerId: readInt53(source, 0),
    epoch: source.readInt16BE(8),
    coordinatorEpoch: source.readInt32BE(34),
    lastTimestampMs,
    transactionFirstOffset: readInt53(source, 38),
    batches: lastOffset < 0 ? [] : [last]
  }
}
