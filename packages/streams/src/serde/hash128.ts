/** Bytes of a {@link hash128}. */
export const hashBytes = 16

const c1 = 0x239b961b
const c2 = 0xab0e9789
const c3 = 0x38b34ae5
const c4 = 0xa1e38b93

/** Used within one call only. */
const lastBlock = Buffer.alloc(hashBytes)
const scratch = new Int32Array(4)

/**
 * A hash of 128 bits (MurmurHash3, the variant for 32-bit machines, seed 0): to tell whether two values are the same, not to keep secrets.
 * @returns 16 bytes, each 32-bit word big-endian.
 */
export function hash128(bytes: Buffer): Buffer {
  let [h1, h2, h3, h4] = [0, 0, 0, 0]
  const blocksEnd = bytes.length - (bytes.length % hashBytes)
  for (let at = 0; at < blocksEnd; at += hashBytes) {
    h1 ^= mixed(bytes.readInt32LE(at), c1, 15, c2)
    h1 = (Math.imul(rotated(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= mixed(bytes.readInt32LE(at + 4), c2, 16, c3)
    h2 = (Math.imul(rotated(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= mixed(bytes.readInt32LE(at + 8), c3, 17, c4)
    h3 = (Math.imul(rotated(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= mixed(bytes.readInt32LE(at + 12), c4, 18, c1)
    h4 = (Math.imul(rotated(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  // What is left is a block filled up with zeros, whose words change nothing where they are zero.
  const tail = lastBlock.fill(0)
  bytes.copy(tail, 0, blocksEnd)
  h4 ^= mixed(tail.readInt32LE(12), c4, 18, c1)
  h3 ^= mixed(tail.readInt32LE(8), c3, 17, c4)
  h2 ^= mixed(tail.readInt32LE(4), c2, 16, c3)
  h1 ^= mixed(tail.readInt32LE(0), c1, 15, c2)
  const words = scratch
  words[0] = h1 ^ bytes.length
  words[1] = h2 ^ bytes.length
  words[2] = h3 ^ bytes.length
  words[3] = h4 ^ bytes.length
  addAll(words)
  for (let i = 0; i < words.length; i++) words[i] = avalanched(words[i])
  addAll(words)
  const hash = Buffer.allocUnsafe(hashBytes)
  for (let i = 0; i < words.length; i++) hash.writeInt32BE(words[i], i * 4)
  return hash
}

/** The first becomes the sum of all, and is added to the others. */
function addAll(words: Int32Array): void {
  words[0] += words[1] + words[2] + words[3]
  for (let i = 1; i < words.length; i++) words[i] += words[0]
}

function mixed(word: number, first: number, rotation: number, second: number): number {
  return Math.imul(rotated(Math.imul(word, first), rotation), second)
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

function avalanched(word: number): number {
  let mixedWord = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixedWord = Math.imul(mixedWord ^ (mixedWord >>> 13), 0xc2b2ae35)
  return mixedWord ^ (mixedWord >>> 16)
}
