import type { TransactionMarker } from '../../partition/partition.ts'
import { ErrorCode, ProtocolError } from '../../wire/errors.ts'
import { OFFSETS_TOPIC, type PartitionDirectory } from './partition-directory.ts'

/** Told when a transaction's end is committed in a partition of `__consumer_offsets`. */
export interface OffsetsMarkerListener {
  transactionEnded(offsetsPartition: number, ended: { readonly producerId: number; readonly commit: boolean }): void
}

/** Writes the ends of transactions to the partitions they wrote to. */
export class MarkerWriter {
  readonly #partitions: PartitionDirectory
  readonly #listener: OffsetsMarkerListener

  constructor(partitions: PartitionDirectory, listener: OffsetsMarkerListener) {
    this.#partitions = partitions
    this.#listener = listener
  }

  /** Writes the marker to every partition named; resolves when all are committed. A partition that is gone needs none. */
  async writeAll(partitions: ReadonlyMap<string, readonly number[]>, marker: TransactionMarker): Promise<void> {
    const written: Promise<void>[] = []
    for (const [topic, indexes] of partitions) {
      for (const index of indexes) written.push(this.#writeOrSkip(topic, index, marker))
    }
    await Promise.all(written)
  }

  async #writeOrSkip(topic: string, index: number, marker: TransactionMarker): Promise<void> {
    try {
      await this.write(topic, index, marker)
    } catch (error) {
      if (!isSettledWithoutMarker(error)) throw error
    }
  }

  /**
   * Writes one marker; resolves when it is committed and whoever keeps offsets there knows.
   * @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION, INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED
   */
  async write(topic: string, index: number, marker: TransactionMarker): Promise<void> {
    const partition = this.#partitions.get(topic, index)
    if (partition === undefined) throw new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic, partition: index })
    const { lastOffset } = partition.appendMarker(marker)
    await partition.whenCommitted(lastOffset)
    if (topic === OFFSETS_TOPIC) this.#listener.transactionEnded(index, marker)
  }
}

/** The partition was deleted, or saw a later epoch of the producer, before which it ended this transaction. */
function isSettledWithoutMarker(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return false
  return (
    error.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || error.errorCode === ErrorCode.INVALID_PRODUCER_EPOCH
  )
}
