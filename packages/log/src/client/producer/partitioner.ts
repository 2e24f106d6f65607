import type { RandomSource } from '../../environment/environment.ts'

const seed = 0x9747b28c
const mixer = 0x5bd1e995

/** The 32-bit murmur2 hash that Kafka's Java client partitions by, as an unsigned integer. */
export function murmur2(data: Buffer): number {
  const words = data.length >> 2
  let hash = seed ^ data.length
  for (let index = 0; index < words; index++) {
    let word = Math.imul(data.readInt32LE(index * 4), mixer)
    word = Math.imul(word ^ (word >>> 24), mixer)
    hash = Math.imul(hash, mixer) ^ word
  }
  hash = mixTail(hash, data, words * 4)
  hash = Math.imul(hash ^ (hash >>> 13), mixer)
  return (hash ^ (hash >>> 15)) >>> 0
}

function mixTail(hash: number, data: Buffer, start: number): number {
  const left = data.length - start
  if (left === 0) return hash
  let tail = 0
  for (let index = left - 1; index >= 0; index--) tail = (tail << 8) | data[start + index]
  return Math.imul(hash ^ tail, mixer)
}

/** The partition that Java's default partitioner gives to a key: the sign bit is dropped, not the number made positive. */
export function partitionForKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions
}

/**
 * Partitions for records without a key: one partition for about a batch of bytes, then another one at random, so that batches are full
 * however many partitions there are (KIP-480).
 */
export class StickyPartitioner {
  readonly #random: RandomSource
  readonly #stickyBytes: number
  readonly #current = new Map<string, { partition: number; bytes: number }>()

  constructor(random: RandomSource, stickyBytes: number) {
    this.#random = random
    this.#stickyBytes = stickyBytes
  }

  partition(topic: string, partitions: number, recordBytes: number): number {
    let sticky = this.#current.get(topic)
    if (sticky === undefined || sticky.bytes >= this.#stickyBytes || sticky.partition >= partitions) {
      sticky = { partition: this.#random.uint32() % partitions, bytes: 0 }
      this.#current.set(topic, sticky)
    }
    sticky.bytes += recordBytes
    return sticky.partition
  }
}
