import type { RandomSource } from '../../environment/environment.ts'

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
