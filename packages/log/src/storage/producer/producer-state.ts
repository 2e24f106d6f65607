import {
  BatchAttribute,
  BatchField,
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchLastOffset,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId
} from '../../wire/batch/header.ts'
import { decodeEndMarker } from './end-marker.ts'
import { type CompletedTransaction, OpenTransactions } from './open-transactions.ts'
import {
  enterEpoch,
  findDuplicate,
  newProducerEntry,
  type ProducedBatch,
  type ProducerEntry,
  rememberBatch,
  sequenceAfter
} from './producer-entry.ts'

/** Kafka's `producer.id.expiration.ms`: an idle producer is forgotten after a day. */
export const PRODUCER_EXPIRATION_MS = 86_400_000

/**
 * What one partition knows of its idempotent and transactional producers, up to the end of its log. Kept by {@link update} with
 * every batch of the log in order, whether it was just appended or is read again at a start.
 */
export class ProducerState {
  readonly transactions = new OpenTransactions()
  readonly #entries = new Map<number, ProducerEntry>()

  /** Begins with the entries of a snapshot. */
  constructor(entries: readonly ProducerEntry[] = []) {
    for (const entry of entries) this.#entries.set(entry.producerId, entry)
    const open = entries.filter((entry) => entry.transactionFirstOffset >= 0)
    open.sort((a, b) => a.transactionFirstOffset - b.transactionFirstOffset)
    for (const entry of open) this.transactions.begin(entry.producerId, entry.transactionFirstOffset)
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): Iterable<ProducerEntry> {
    return this.#entries.values()
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  /** The batch of the dedup window that `batch` repeats. */
  duplicateOf(batch: Buffer): ProducedBatch | undefined {
    const entry = this.#entries.get(batchProducerId(batch))
    if (entry === undefined) return undefined
    return findDuplicate(entry, {
      epoch: batchProducerEpoch(batch),
      baseSequence: batchBaseSequence(batch),
      offsetDelta: batch.readInt32BE(BatchField.lastOffsetDelta)
    })
  }

  /**
   * Takes in a batch that is in the log now (of a data batch the header is enough). Returns the transaction that it ended, if any.
   */
  update(batch: Buffer): CompletedTransaction | undefined {
    const producerId = batchProducerId(batch)
    if (producerId < 0) return undefined
    const attributes = batchAttributes(batch)
    if ((attributes & BatchAttribute.control) !== 0) return this.#end(batch, producerId)
    this.#take(batch, { producerId, transactional: (attributes & BatchAttribute.transactional) !== 0 })
    return undefined
  }

  /** Forgets producers that were idle for `expirationMs` and have no open transaction. */
  expire(nowMs: number, expirationMs = PRODUCER_EXPIRATION_MS): void {
    for (const entry of this.#entries.values()) {
      if (entry.transactionFirstOffset < 0 && nowMs - entry.lastTimestampMs >= expirationMs) {
        this.#entries.delete(entry.producerId)
      }
    }
  }

  #take(batch: Buffer, kind: { readonly producerId: number; readonly transactional: boolean }): void {
    const entry = this.#entryOf(kind.producerId)
    enterEpoch(entry, batchProducerEpoch(batch))
    const offsetDelta = batch.readInt32BE(BatchField.lastOffsetDelta)
    const baseSequence = batchBaseSequence(batch)
    const timestampMs = batchMaxTimestamp(batch)
    if (baseSequence >= 0) {
      const lastSequence = sequenceAfter(baseSequence, offsetDelta)
      rememberBatch(entry, { lastSequence, lastOffset: batchLastOffset(batch), offsetDelta, timestampMs })
    }
    entry.lastTimestampMs = timestampMs
    if (kind.transactional && entry.transactionFirstOffset < 0) {
      entry.transactionFirstOffset = batchBaseOffset(batch)
      this.transactions.begin(kind.producerId, entry.transactionFirstOffset)
    }
  }

  #end(batch: Buffer, producerId: number): CompletedTransaction | undefined {
    const marker = decodeEndMarker(batch)
    if (marker === undefined) return undefined
    const entry = this.#entryOf(producerId)
    const firstOffset = entry.transactionFirstOffset
    enterEpoch(entry, batchProducerEpoch(batch))
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestampMs = batchMaxTimestamp(batch)
    entry.transactionFirstOffset = -1
    if (firstOffset < 0) return undefined
    return { producerId, firstOffset, lastOffset: batchLastOffset(batch), commit: marker.commit }
  }

  #entryOf(producerId: number): ProducerEntry {
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      entry = newProducerEntry(producerId)
      this.#entries.set(producerId, entry)
    }
    return entry
  }
}
