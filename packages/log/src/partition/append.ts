import type { PartitionLog } from '../storage/partition-log.ts'
import { checkProducerBatch } from '../storage/producer/sequence-rules.ts'
import {
  BatchAttribute,
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchLastOffset,
  batchProducerEpoch,
  batchProducerId,
  stampBatch
} from '../wire/batch/header.ts'
import type { AppendedBatch, AppendOrigin } from './partition.ts'
import { type BatchDestination, stampAppendTime, validateAppend } from './validate-append.ts'

/** What an append works on. */
export interface AppendTarget {
  readonly log: PartitionLog
  readonly leaderEpoch: number
  readonly destination: BatchDestination
  /** Keeps the batch for live readers, and has it synced (or, without fsync, committed at once). */
  appended(batch: Buffer): void
}

/** A batch, who sent it, and whether its producer was checked by the caller (as a marker's is). */
export interface AppendRequest {
  readonly batch: Buffer
  readonly origin: AppendOrigin | 'marker'
}

/**
 * Appends one record batch to a partition. This is the order that correctness rests on:
 *
 * 1. Validate the batch by itself: size, checksum, counts, what clients may not set.
 * 2. Check it against its producer: a repeated batch is answered from memory, a stale epoch, a gap in the sequence or a plain
 *    batch inside a transaction is refused.
 * 3. Assign what the broker assigns: append time, offsets, leader epoch. From here on the batch is ours.
 * 4. Make room: create the first segment, or roll to a new one.
 * 5. Note where the leader epoch begins.
 * 6. Write, and advance the end of the log. If the system refuses, nothing of the batch is kept.
 * 7. Update the producer's state; a marker ends its transaction.
 * 8. Index an aborted transaction, and hold the last stable offset until the marker is committed.
 * 9. Hand it on: to the tail cache for readers, to the sync that will move the high watermark.
 *
 * Nothing before step 6 changes what readers, producers or a restart can see, so a refusal leaves no trace. Steps 6 to 9 cannot fail
 * once the write is done.
 */
export function appendBatch(target: AppendTarget, request: AppendRequest): AppendedBatch {
  const { log } = target
  const { batch } = request
  const to = target.destination

  // 1. Validate.
  if (request.origin !== 'marker') validateAppend(batch, request.origin, to)

  // 2. Check it against its producer.
  const duplicate = request.origin === 'marker' ? undefined : checkProducer(log, request, to)
  if (duplicate !== undefined) return duplicate

  // 3. Assign.
  const logAppendTimeMs = request.origin === 'marker' ? -1 : stampAppendTime(batch, to)
  stampBatch(batch, log.endOffset, target.leaderEpoch)

  // 4. Make room.
  log.makeRoom(batch)

  // 5. Leader epoch.
  log.epochs.assign(target.leaderEpoch, log.endOffset)

  // 6. Write.
  log.write(batch)

  // 7. Producer state.
  const completed = log.producers.update(batch)

  // 8. Transaction index.
  if (completed !== undefined) log.indexTransaction(completed)

  // 9. Hand it on.
  target.appended(batch)
  return { baseOffset: batchBaseOffset(batch), lastOffset: batchLastOffset(batch), logAppendTimeMs, duplicate: false }
}

/** What was answered to the batch that this one repeats, if it does. A coordinator's batches carry no sequence numbers. */
function checkProducer(log: PartitionLog, request: AppendRequest, to: BatchDestination): AppendedBatch | undefined {
  const { batch } = request
  const producerId = batchProducerId(batch)
  if (producerId < 0) return undefined
  const baseSequence = batchBaseSequence(batch)
  const known = baseSequence < 0 ? undefined : log.producers.duplicateOf(batch)
  if (known !== undefined) {
    const baseOffset = known.lastOffset - known.offsetDelta
    const logAppendTimeMs = to.config.timestampType === 'LogAppendTime' ? known.timestampMs : -1
    return { baseOffset, lastOffset: known.lastOffset, logAppendTimeMs, duplicate: true }
  }
  const fields = {
    producerId,
    epoch: batchProducerEpoch(batch),
    baseSequence,
    transactional: (batchAttributes(batch) & BatchAttribute.transactional) !== 0
  }
  const at = { topic: to.topic, partition: to.partition }
  checkProducerBatch(log.producers.entry(producerId), fields, { at, checkSequence: request.origin === 'client' })
  return undefined
}
