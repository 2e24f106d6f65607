import type { Partition } from '../../partition/partition.ts'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { decodeBatches, type RecordBatch } from '../../wire/batch/record-batch.ts'

/** A record of a coordinator's state; a null value is a tombstone. */
export interface StateRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** How a batch of state records is written. */
export interface StateBatchOptions {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** The producer whose transaction the records are part of; absent for the coordinator's own. */
  readonly producer?: { readonly producerId: number; readonly producerEpoch: number }
}

/** Where state records were written, and when they are safe. */
export interface WrittenState {
  /** Offset of the first record; the others follow. */
  readonly baseOffset: number
  /** Resolves when all of them are committed. */
  readonly committed: Promise<void>
}

const READ_BYTES = 1024 * 1024

/** A partition of an internal topic, as the log of one coordinator's state. */
export class StateLog {
  readonly partition: Partition
  readonly #builder = new RecordBatchBuilder()

  constructor(partition: Partition) {
    this.partition = partition
  }

  /** Appends the records as one batch. @throws the partition's error when it takes no appends */
  write(records: readonly StateRecord[], options: StateBatchOptions): WrittenState {
    const builder = this.#builder
    builder.reset()
    for (const { key, value } of records) builder.append(key, value, options.timestampMs)
    const batch = builder.build(options.producer === undefined ? {} : { ...options.producer, transactional: true })
    const { baseOffset, lastOffset } = this.partition.append(batch, 'coordinator')
    return { baseOffset, committed: this.partition.whenCommitted(lastOffset) }
  }

  /** Every batch that is in the log, control batches included, from the oldest to the newest. */
  *batches(): Generator<RecordBatch> {
    const { partition } = this
    let offset = partition.logStartOffset
    while (offset < partition.logEndOffset) {
      const read = partition.read({ offset, maxBytes: READ_BYTES, isolation: 'log_end' })
      const from = offset
      for (const batch of read.chunks.flatMap(decodeBatches)) {
        yield batch
        offset = batch.lastOffset + 1
      }
      // Nothing but a gap is left up to the end of the log.
      if (offset === from) return
    }
  }
}
