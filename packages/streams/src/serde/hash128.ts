/** Bytes of a {@link Hash128}. */
export const hashBytes = 16

const c1 = 0x239b961b
const c2 = 0xab0e9789
const c3 = 0x38b34ae5
const c4 = 0xa1e38b93

/** A hash as four signed 32-bit words: a `Buffer` of it would weigh four times as much, and take longer to make than the hash. */
export class Hash128 {
  readonly first: number
  readonly second: number
  readonly third: number
  readonly fourth: number

  constructor(words: {
    readonly first: number
    readonly second: number
    readonly third: number
    readonly fourth: number
  }) {
    this.first = words.first
    this.second = words.second
    this.third = words.third
    this.fourth = words.fourth
  }
}

/** Whether both are the same hash, or both none. */
export function sameHash(one: Hash128 | null, other: Hash128 | null): boolean {
  if (one === null || other === null) return one === other
  return (
    one.first === other.first && one.second === other.second && one.third === other.third && one.fourth === other.fourth
  )
}

/** Writes the {@link hashBytes} of a hash, each word big-endian, and returns where they end. */
export function writeHash(target: Buffer, { first, second, third, fourth }: Hash128, at: number): number {
  writeWord(target, first, at)
  writeWord(target, second, at + 4)
  writeWord(target, third, at + 8)
  writeWord(target, fourth, at + 12)
  return at + hashBytes
}

/** Reads what {@link writeHash} wrote; all of it must be there. */
export function readHash(bytes: Buffer, at: number): Hash128 {
  return new Hash128({
    first: wordAt(bytes, at),
    second: wordAt(bytes, at + 4),
    third: wordAt(bytes, at + 8),
    fourth: wordAt(bytes, at + 12)
  })
}

/**
 * A hash of 128 bits (MurmurHash3, the variant for 32-bit machines, seed 0): to tell whether two values are the same, not to keep secrets.
 */
export function hash128(bytes: Buffer): Hash128 {
  const { length } = bytes
  let [h1, h2, h3, h4] = [0, 0, 0, 0]
  let at = 0
  for (; at + hashBytes <= length; at += hashBytes) {
    h1 ^= mixed(littleEndian(bytes, at), c1, 15, c2)
    h1 = (Math.imul(rotated(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= mixed(littleEndian(bytes, at + 4), c2, 16, c3)
    h2 = (Math.imul(rotated(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= mixed(littleEndian(bytes, at + 8), c3, 17, c4)
    h3 = (Math.imul(rotated(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= mixed(littleEndian(bytes, at + 12), c4, 18, c1)
    h4 = (Math.imul(rotated(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  // What is left is a block filled up with zeros, whose words change nothing where they are zero.
  h4 ^= mixed(rest(bytes, at + 12), c4, 18, c1)
  h3 ^= mixed(rest(bytes, at + 8), c3, 17, c4)
  h2 ^= mixed(rest(bytes, at + 4), c2, 16, c3)
  h1 ^= mixed(rest(bytes, at), c1, 15, c2)
  const sum = ((h1 ^ length) + (h2 ^ length) + (h3 ^ length) + (h4 ^ length)) | 0
  const first = avalanched(sum)
  const second = avalanched(((h2 ^ length) + sum) | 0)
  const third = avalanched(((h3 ^ length) + sum) | 0)
  const fourth = avalanched(((h4 ^ length) + sum) | 0)
  const total = (first + second + third + fourth) | 0
  return new Hash128({
    first: total,
    second: (second + total) | 0,
    third: (third + total) | 0,
    fourth: (fourth + total) | 0
  })
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

function littleEndian(bytes: Buffer, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}

/** The word at `at`; what of it is behind the end is zero. */
function rest(bytes: Buffer, at: number): number {
  let word = 0
  for (let i = Math.min(at + 4, bytes.length) - 1; i >= at; i--) word = (word << 8) | bytes[i]
  return word
}

function writeWord(target: Buffer, word: number, at: number): void {
  target[at] = word >>> 24
  target[at + 1] = word >>> 16
  target[at + 2] = word >>> 8
  target[at + 3] = word
}

function wordAt(bytes: Buffer, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}
