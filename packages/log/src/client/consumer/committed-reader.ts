import { findBatchDefect } from '../../wire/batch/batch-defect.ts'
import { ControlType, controlRecord } from '../../wire/batch/control-batch.ts'
import { decodeBatches, type RecordBatch } from '../../wire/batch/record-batch.ts'
import { DecodeError } from '../../wire/codec.ts'
import { CorruptBatchError } from '../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** One partition's answer to a fetch. */
export interface FetchAnswer {
  readonly chunks: readonly Buffer[]
  /** Transactions that were aborted and overlap the answer; null under `read_uncommitted`. */
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[] | null
}

/** How an answer is read. */
export interface ReadOptions {
  readonly checkCrcs: boolean
  /** The offset that was asked for. */
  readonly position: number
}

/** The data batches to hand on, and where reading goes on. */
export interface ReadAnswer {
  readonly batches: readonly RecordBatch[]
  readonly nextOffset: number
  readonly sizeBytes: number
}

/**
 * Takes markers and aborted data out of a fetched answer, as Kafka's Java consumer does: from an aborted transaction's first offset on, what its
 * producer wrote is skipped, up to the marker that ends it. A producer may have several aborted transactions in one answer, and the marker may
 * lie beyond it; the next answer then lists the transaction again.
 * @throws CorruptBatchError when a batch fails its checksum, or is none.
 */
export function readAnswer(partition: TopicPartition, answer: FetchAnswer, options: ReadOptions): ReadAnswer {
  const aborted = new AbortedTransactions(answer.abortedTransactions ?? [])
  const batches: RecordBatch[] = []
  let nextOffset = options.position
  let sizeBytes = 0
  for (const chunk of answer.chunks) {
    sizeBytes += chunk.length
    for (const batch of batchesOf(partition, chunk, nextOffset)) {
      // Brokers answer from the batch that contains the position, so all before it is an older one of the same chunk.
      if (batch.lastOffset < options.position) continue
      if (options.checkCrcs) requireSound(partition, batch)
      nextOffset = batch.lastOffset + 1
      if (!aborted.hides(batch)) batches.push(batch)
    }
  }
  return { batches, nextOffset, sizeBytes }
}

/** The aborted transactions of one answer, walked along with its batches. */
class AbortedTransactions {
  readonly #byFirstOffset: readonly { readonly producerId: number; readonly firstOffset: number }[]
  readonly #open = new Set<number>()
  #next = 0

  constructor(transactions: readonly { readonly producerId: number; readonly firstOffset: number }[]) {
    this.#byFirstOffset = [...transactions].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Whether the batch is a marker or belongs to an aborted transaction. To be asked once for every batch, in order. */
  hides(batch: RecordBatch): boolean {
    const { lastOffset, producerId } = batch
    for (let next = this.#byFirstOffset[this.#next]; next !== undefined; next = this.#byFirstOffset[this.#next]) {
      if (next.firstOffset > lastOffset) break
      this.#open.add(next.producerId)
      this.#next++
    }
    if (batch.isControl) {
      if (this.#open.size > 0 && controlRecord(batch)?.type === ControlType.abort) this.#open.delete(producerId)
      return true
    }
    return batch.isTransactional && this.#open.has(producerId)
  }
}

function batchesOf({ topic, partition }: TopicPartition, chunk: Buffer, offset: number): RecordBatch[] {
  try {
    return decodeBatches(chunk)
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause
    throw new CorruptBatchError({ topic, partition, offset, reason: cause.message }, { cause })
  }
}

function requireSound({ topic, partition }: TopicPartition, batch: RecordBatch): void {
  const defect = findBatchDefect(batch.buffer)
  if (defect === undefined) return
  throw new CorruptBatchError({ topic, partition, offset: batch.baseOffset, reason: defect.message })
}
