import { compressSync, uncompressSync } from 'snappy'
import { DecodeError } from '../codec/errors.ts'
import { type Codec, checkLimit } from './codec.ts'

/** The framing of xerial's SnappyOutputStream, which Kafka's Java clients write: magic, version, oldest compatible version. */
const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const XERIAL_MAGIC_BYTES = 8
/** Block size of the Java client. */
const BLOCK_BYTES = 32 * 1024
/** No element of snappy's format makes more than 64 bytes of 3. */
const GREATEST_EXPANSION = 22

/**
 * Codec 2: snappy. Written in xerial's framing, as Java writes it and every client reads it; read in that framing and as a raw
 * block, as some clients write it.
 */
export const snappy: Codec = {
  compress: (bytes) => {
    const parts: Buffer[] = [XERIAL_HEADER]
    for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
      const block = compressSync(bytes.subarray(start, start + BLOCK_BYTES))
      const length = Buffer.allocUnsafe(4)
      length.writeInt32BE(block.length)
      parts.push(length, block)
    }
    return Buffer.concat(parts)
  },
  decompress: (packed, limitBytes) => {
    if (!isXerial(packed)) return unpackBlock(packed, 0, limitBytes)
    const parts: Buffer[] = []
    let unpacked = 0
    for (let at = XERIAL_HEADER.length; at < packed.length; ) {
      const length = at + 4 <= packed.length ? packed.readInt32BE(at) : -1
      if (length < 0 || length > packed.length - at - 4) fail('a block reaches beyond the end', at)
      const part = unpackBlock(packed.subarray(at + 4, at + 4 + length), unpacked, limitBytes)
      parts.push(part)
      unpacked += part.length
      at += 4 + length
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }
}

function isXerial(packed: Buffer): boolean {
  if (packed.length < XERIAL_HEADER.length) return false
  return packed.compare(XERIAL_HEADER, 0, XERIAL_MAGIC_BYTES, 0, XERIAL_MAGIC_BYTES) === 0
}

/** Unpacks one block, `before` bytes having been unpacked already. */
function unpackBlock(block: Buffer, before: number, limitBytes: number): Buffer {
  const claimed = claimedBytes(block)
  if (claimed > block.length * GREATEST_EXPANSION) fail(`a block of ${block.length} bytes claims ${claimed}`, 0)
  checkLimit(before + claimed, limitBytes)
  const bytes = uncompressSync(block)
  return typeof bytes === 'string' ? fail('a block unpacked to text', 0) : bytes
}

/** The size that a block says it unpacks to: a varint at its start. */
function claimedBytes(block: Buffer): number {
  let value = 0
  for (let i = 0; i < 5 && i < block.length; i++) {
    value += (block[i] & 0x7f) * 2 ** (7 * i)
    if (block[i] < 0x80) return value
  }
  return fail('a block has no length', 0)
}

function fail(reason: string, position: number): never {
  throw new DecodeError({ reason: `snappy: ${reason}`, path: 'records', position })
}
