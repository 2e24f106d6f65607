import { CorruptionError } from '../errors.ts'
import type { Partition } from '../partition/partition.ts'
import { applyRecords, emptyImage, type MetadataImage } from '../quorum/metadata-image.ts'
import type { MetadataRecord } from '../quorum/metadata-records.ts'
import { type OnDamage, rebuiltReport } from '../storage/damage.ts'
import { decodeBatches } from '../wire/batch/record-batch.ts'
import { type MetadataSnapshot, metadataRecords } from './metadata-snapshot.ts'

const READ_BYTES = 1024 * 1024

/** What the metadata log adds up to. */
export interface ReplayedMetadata {
  readonly image: MetadataImage
  /** Ids of topics that were deleted, as far as the log tells. */
  readonly removedTopicIds: Set<string>
}

/**
 * Replays the metadata log from its start. Where it is damaged, or has a gap that damage left, the snapshot stands in for what comes
 * before the snapshot's end, and the log is replayed from there.
 * @throws CorruptionError when there is no snapshot, or the log is damaged behind it
 */
export function replayMetadata(
  partition: Partition,
  snapshot: () => MetadataSnapshot | undefined,
  onDamage: OnDamage
): ReplayedMetadata {
  try {
    return replayFrom(partition, { image: emptyImage, endOffset: partition.logStartOffset })
  } catch (error) {
    const saved = error instanceof CorruptionError ? snapshot() : undefined
    if (!(error instanceof CorruptionError) || saved === undefined) throw error
    const message = `${error.message}; the metadata up to offset ${saved.endOffset} was taken from the snapshot`
    onDamage(rebuiltReport(error.path, message))
    return replayFrom(partition, saved)
  }
}

/** Notes the topic that a record removes, if it does. */
export function noteRemoval(record: MetadataRecord, removedTopicIds: Set<string>): void {
  if (record.kind === 'removeTopic') removedTopicIds.add(record.body.topicId)
}

function replayFrom(partition: Partition, start: MetadataSnapshot): ReplayedMetadata {
  let { image, endOffset: offset } = start
  const removedTopicIds = new Set<string>()
  while (offset < partition.highWatermark) {
    const read = partition.read({ offset, maxBytes: READ_BYTES, isolation: 'read_uncommitted' })
    const batches = read.chunks.flatMap(decodeBatches)
    if (batches.length === 0) throw gapAt(partition, offset)
    for (const batch of batches) {
      // Nothing is ever taken out of this log, so what is missing, or only stood for by an empty batch, was lost.
      if (batch.baseOffset > offset || batch.recordCount === 0) throw gapAt(partition, offset)
      const records = metadataRecords(batch)
      image = applyRecords(image, records)
      for (const record of records) noteRemoval(record, removedTopicIds)
      offset = batch.lastOffset + 1
    }
  }
  return { image, removedTopicIds }
}

function gapAt({ topic, index }: Partition, offset: number): CorruptionError {
  const path = `${topic}-${index}`
  return new CorruptionError({ message: `${path} lacks the records from offset ${offset} on`, path, position: 0 })
}
