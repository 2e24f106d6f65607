import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { DecodeError } from '../codec/errors.ts'
import { type Codec, checkLimit } from './codec.ts'

const MAGIC = 0x184d_2204
/** Bits of the frame descriptor's first byte. */
const Flag = { dictionary: 0x01, contentChecksum: 0x04, contentSize: 0x08, blockChecksum: 0x10 } as const
const MAGIC_BYTES = 4
const UNCOMPRESSED = 0x8000_0000
/** A run of 255 more bytes costs one. */
const GREATEST_EXPANSION = 255

/** Codec 3: the LZ4 frame format, with independent blocks as Kafka's Java client requires. */
export const lz4: Codec = {
  compress: (bytes) => compressFrameSync(bytes),
  decompress: (packed, limitBytes) => {
    checkLimit(unpackedBytes(packed, limitBytes), limitBytes)
    return decompressFrameSync(packed)
  }
}

/**
 * How much a frame unpacks to, found without unpacking it: an upper bound where that is within the limit, else the exact sum.
 */
function unpackedBytes(frame: Buffer, limitBytes: number): number {
  let bound = 0
  let exact = 0
  forEachBlock(frame, (block, blockLimitBytes, stored) => {
    bound += stored ? block.length : Math.min(blockLimitBytes, block.length * GREATEST_EXPANSION)
  })
  if (bound <= limitBytes) return bound
  forEachBlock(frame, (block, _blockLimitBytes, stored) => {
    exact += stored ? block.length : blockBytes(block)
  })
  return exact
}

type VisitBlock = (block: Buffer, blockLimitBytes: number, stored: boolean) => void

function forEachBlock(frame: Buffer, visit: VisitBlock): void {
  if (frame.length < MAGIC_BYTES + 3 || frame.readUInt32LE(0) !== MAGIC) fail('this is no frame', 0)
  const flags = frame[MAGIC_BYTES]
  const sizeCode = (frame[MAGIC_BYTES + 1] >>> 4) & 0x07
  if (sizeCode < 4) fail(`block size ${sizeCode} is not defined`, MAGIC_BYTES + 1)
  const blockLimitBytes = 2 ** (8 + 2 * sizeCode)
  const checksumBytes = flags & Flag.blockChecksum ? 4 : 0
  let at = MAGIC_BYTES + 3 + (flags & Flag.contentSize ? 8 : 0) + (flags & Flag.dictionary ? 4 : 0)
  for (;;) {
    if (at + 4 > frame.length) fail('the end mark is missing', at)
    const word = frame.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const length = word & ~UNCOMPRESSED
    if (length > blockLimitBytes || at + length > frame.length) fail(`a block claims ${length} bytes`, at)
    visit(frame.subarray(at, at + length), blockLimitBytes, word >= UNCOMPRESSED)
    at += length + checksumBytes
  }
  at += flags & Flag.contentChecksum ? 4 : 0
  if (at !== frame.length) fail(`${frame.length - at} bytes follow the frame`, at)
}

/** Size of one compressed block's content: the sum of its sequences' literals and matches. */
function blockBytes(block: Buffer): number {
  let total = 0
  let at = 0
  const run = (nibble: number): number => {
    let length = nibble
    if (nibble === 15) {
      let more: number
      do {
        more = at < block.length ? block[at++] : fail('a block ends within a length', at)
        length += more
      } while (more === 255)
    }
    return length
  }
  while (at < block.length) {
    const token = block[at++]
    const literals = run(token >>> 4)
    total += literals
    at += literals
    // The last sequence has literals only.
    if (at >= block.length) break
    at += 2
    total += run(token & 0x0f) + 4
  }
  return total
}

function fail(reason: string, position: number): never {
  throw new DecodeError({ reason: `lz4: ${reason}`, path: 'records', position })
}
