import type { Timers } from '../../environment/environment.ts'
import { batchLastOffset } from '../../wire/batch/header.ts'
import type { RecordBatch } from '../../wire/batch/record-batch.ts'
import type { RecordCursor } from '../../wire/batch/record-cursor.ts'
import { lastSequenceOf, type ProducerEntry } from '../producer/producer-entry.ts'
import type { Segment } from '../segment/segment.ts'
import { type BatchFacts, batchFate, keepsRecord } from './batch-fate.ts'
import { CleanedSegment } from './cleaned-segment.ts'
import type { NewestOffsets } from './newest-offsets.ts'
import type { PassedTransactions } from './passed-transactions.ts'
import { removeSnapshotsBelow, replaceSegments } from './replace-segments.ts'
import { emptyBatch, placeholderBatch, type RewrittenBatch, rewriteBatch } from './rewrite-batch.ts'
import { type SliceSource, visitSegment } from './segment-slices.ts'

/** Room that an index needs for the entry it gets when the segment is sealed. */
const SPARE_ENTRIES = 2
const LARGEST_INDEX_ENTRY_BYTES = 12
const MAX_RELATIVE_OFFSET = 0x7fff_ffff

/** What the second pass goes by. */
export interface CompactionRound extends SliceSource {
  readonly timers: Timers
  /** From the first segment to the one in which the round ends. */
  readonly inputs: readonly Segment[]
  readonly newest: NewestOffsets
  readonly transactions: PassedTransactions
  readonly producers: ReadonlyMap<number, ProducerEntry>
  readonly nowMs: number
  /** What was compacted before the round. */
  readonly cleanedTo: number
  /** Called after each replacement of segments. */
  readonly replaced: () => void
}

/** What the second pass did. */
export interface CompactionCounts {
  bytesRead: number
  bytesWritten: number
  recordsRead: number
  recordsKept: number
  /** Earliest time from which a tombstone or marker that stayed may go. */
  deleteHorizonMs: number | undefined
}

/**
 * The second pass: writes every segment again with the records that stay, several small ones into one, and puts the new ones in the place of
 * the old. What is not reached is as it was: each replacement stands for itself.
 * @throws CompactionInterrupted; UncleanableError; FileSystemError, AppendFailedError
 */
export async function compactSegments(round: CompactionRound): Promise<CompactionCounts> {
  const writer = new CompactionWriter(round)
  removeSnapshotsBelow(round.log, round.newest.endOffset)
  try {
    for (const segment of round.inputs) {
      if (!writer.hasRoomFor(segment)) await writer.finishSegment(false)
      writer.begin(segment)
      await visitSegment(round, { segment, fromOffset: 0 }, (batch) => {
        writer.take(batch)
        return true
      })
    }
    await writer.finishSegment(true)
  } catch (error) {
    writer.discard()
    throw error
  }
  return writer.counts
}

class CompactionWriter {
  readonly counts: CompactionCounts = {
    bytesRead: 0,
    bytesWritten: 0,
    recordsRead: 0,
    recordsKept: 0,
    deleteHorizonMs: undefined
  }
  readonly #round: CompactionRound
  readonly #bounds: { readonly endOffset: number; readonly nowMs: number }
  readonly #horizonMs: number
  #inputs: Segment[] = []
  #output: CleanedSegment | undefined
  /** Header of the last batch that was taken, whether it stayed or not. */
  #last: Buffer | undefined

  constructor(round: CompactionRound) {
    this.#round = round
    this.#bounds = { endOffset: round.newest.endOffset, nowMs: round.nowMs }
    this.#horizonMs = round.nowMs + round.log.config.deleteRetentionMs
  }

  /** Whether the output can take another segment whatever stays of it. */
  hasRoomFor(segment: Segment): boolean {
    const output = this.#output
    if (output === undefined) return true
    const { segmentBytes, segmentIndexBytes } = this.#round.log.config
    const { offsets, times } = segment.indexes
    const entries = output.indexEntries + Math.max(offsets.file.count, times.file.count) + SPARE_ENTRIES
    return (
      output.sizeBytes + segment.log.sizeBytes <= segmentBytes &&
      entries * LARGEST_INDEX_ENTRY_BYTES <= segmentIndexBytes &&
      segment.nextOffset - output.baseOffset <= MAX_RELATIVE_OFFSET
    )
  }

  begin(segment: Segment): void {
    const { log } = this.#round
    this.#output ??= new CleanedSegment({
      files: log.place.files,
      directory: log.directory,
      baseOffset: segment.baseOffset,
      indexIntervalBytes: log.config.indexIntervalBytes
    })
    this.#inputs.push(segment)
  }

  take(batch: RecordBatch): void {
    const { counts } = this
    const facts = this.#factsOf(batch)
    const fate = batchFate(facts, this.#bounds)
    counts.bytesRead += batch.buffer.length
    counts.recordsRead += batch.recordCount
    this.#last = batch.buffer
    const rewritten = this.#rewrite(batch, fate)
    counts.recordsKept += rewritten.recordsKept
    if (rewritten.batch !== undefined) this.#output?.append(rewritten.batch)
    else if (fate.keepsHeader) this.#output?.append(emptyBatch(batch.buffer))
    if (facts.isControl && (facts.endsSeenData || facts.baseOffset >= this.#bounds.endOffset)) {
      const aborted = this.#round.transactions.endingAt(batch.lastOffset)
      if (aborted !== undefined) this.#output?.indexAborted(aborted)
    }
  }

  /** Seals the output and replaces the segments that it was made from. */
  async finishSegment(isLast: boolean): Promise<void> {
    const output = this.#output
    if (output === undefined) return
    const { log, timers, cleanedTo, newest, replaced } = this.#round
    // The end stays visible, so that the new segment stands for all of the old ones' offsets.
    if (this.#last !== undefined && output.nextOffset <= batchLastOffset(this.#last)) {
      output.append(placeholderBatch(this.#last))
    }
    const summary = await output.seal({
      topicId: log.place.topicId,
      logStartOffset: log.logStartOffset,
      epochs: [...log.epochs.starts],
      createdMs: Math.max(...this.#inputs.map((segment) => segment.createdMs)),
      cleanedTo: isLast ? newest.endOffset : cleanedTo
    })
    await replaceSegments({ log, timers, replaced: this.#inputs, summary })
    replaced()
    this.counts.bytesWritten += summary.logSizeBytes
    this.#output = undefined
    this.#inputs = []
    this.#last = undefined
    await this.#round.rest(summary.logSizeBytes)
  }

  discard(): void {
    this.#output?.discard()
  }

  #rewrite(batch: RecordBatch, fate: ReturnType<typeof batchFate>): RewrittenBatch {
    if (fate.records === 'none') return { batch: undefined, recordsKept: 0, tombstonesKept: 0 }
    if (fate.records === 'all' && fate.beginsHorizon === 'no') {
      this.#noteHorizon(batch.isControl ? batch.deleteHorizonMs : undefined)
      return { batch: batch.buffer, recordsKept: batch.recordCount, tombstonesKept: 0 }
    }
    const horizonFor = fate.beginsHorizon === 'yes' ? 'every batch' : 'batches with tombstones'
    const rewritten = rewriteBatch(batch, {
      keeps: fate.records === 'all' ? () => true : this.#keepsNewest(batch),
      deleteHorizonMs: this.#horizonMs,
      horizonFor
    })
    if (horizonFor === 'every batch' || rewritten.tombstonesKept > 0) {
      this.#noteHorizon(batch.deleteHorizonMs ?? this.#horizonMs)
    }
    return rewritten
  }

  #keepsNewest(batch: RecordBatch): (record: RecordCursor) => boolean {
    const { keys } = this.#round.newest
    const tombstonesGo = (batch.deleteHorizonMs ?? Number.POSITIVE_INFINITY) <= this.#bounds.nowMs
    return (record) =>
      keepsRecord(
        {
          offset: record.offset,
          hasKey: record.keyStart >= 0,
          isTombstone: record.valueStart < 0,
          newestOffset: record.keyStart < 0 ? -1 : keys.get(record.buffer, record.keyStart, record.keyEnd)
        },
        tombstonesGo
      )
  }

  #factsOf(batch: RecordBatch): BatchFacts {
    const { transactions } = this.#round
    const { baseOffset, producerId, isControl, isTransactional } = batch
    const isMarker = isControl && isTransactional
    const isData = isTransactional && !isControl
    if (isData) transactions.passData(producerId)
    return {
      baseOffset,
      isControl,
      isTransactional,
      recordCount: batch.recordCount,
      deleteHorizonMs: batch.deleteHorizonMs,
      isAborted: isData && transactions.isAborted(producerId, baseOffset),
      isLastOfProducer: producerId >= 0 && this.#isLastOfProducer(batch),
      endsSeenData: isMarker && transactions.passMarker(producerId)
    }
  }

  /** The batch with the last sequence number of an active producer; of one that has none in its epoch, its last marker. */
  #isLastOfProducer(batch: RecordBatch): boolean {
    const { producers, newest } = this.#round
    const entry = producers.get(batch.producerId)
    if (entry === undefined) return false
    if (lastSequenceOf(entry) >= 0) return !batch.isControl && entry.batches.at(-1)?.lastOffset === batch.lastOffset
    const { lastOffset } = batch
    return (
      batch.isControl &&
      batch.producerEpoch === entry.epoch &&
      (newest.markers.get(batch.producerId) ?? lastOffset) === lastOffset
    )
  }

  #noteHorizon(horizonMs: number | undefined): void {
    if (horizonMs === undefined) return
    this.counts.deleteHorizonMs = Math.min(this.counts.deleteHorizonMs ?? horizonMs, horizonMs)
  }
}
