import { type Consumer, type Log, type OpenLogOptions, openLog, partitionKey } from '@millrace/log'
import { type Duration, durationMs } from '../graph/duration.ts'
import type { BlobStore, StoredBlob } from '../serde/blob-store.ts'
import { blobReferencesIn } from '../serde/claim-check.ts'
import { isLog } from './where.ts'

/** What to look for, and where. */
export interface SweepOptions {
  /** A URL, options to open a log with, or an open log, which stays open. */
  readonly log: string | OpenLogOptions | Log
  /** All topics whose records may refer to the store's blobs: those with claim-checked values, and the changelogs of stores that hold such. */
  readonly topics: readonly string[]
  /**
   * Blobs put later than this long ago stay: a record that refers to one may not be visible yet. Default a day, at least two hours: a process does not
   * write a blob again that it wrote within the hour.
   */
  readonly olderThan?: Duration
  /** Look, and remove nothing. Default false. */
  readonly dryRun?: boolean
}

/** What a sweep found. */
export interface SweepReport {
  readonly dryRun: boolean
  /** Blobs in the store. */
  readonly blobs: number
  readonly referenced: number
  /** Removed, or in a dry run to be removed. */
  readonly removed: readonly string[]
  readonly removedBytes: number
}

const leastAgeMs = 2 * 60 * 60 * 1000

/**
 * Removes blobs that no record refers to any more: their records are gone by retention, compaction or an aborted transaction. Reads all records of
 * the topics, uncommitted ones too, and takes whatever looks like a reference, inside other values as well, for one. Applications may run
 * meanwhile.
 *
 * @throws UnknownTopicError when one of the topics does not exist; nothing is removed then.
 */
export async function sweepBlobs(store: BlobStore, options: SweepOptions): Promise<SweepReport> {
  const ageMs = durationMs('olderThan', options.olderThan ?? '1d', { leastMs: leastAgeMs })
  const { dryRun = false } = options
  const log = isLog(options.log) ? options.log : await openLog(options.log)
  try {
    const known = new Map<string, number>()
    for (const { name, sizeBytes } of store.list()) known.set(name, sizeBytes)
    const referenced = await referencedBlobs(log, options.topics, known)
    const beforeMs = log.environment.clock.nowMs() - ageMs
    const removed: StoredBlob[] = []
    // Looked at anew: one that was put again meanwhile is young.
    for (const blob of store.list()) {
      if (!known.has(blob.name) || referenced.has(blob.name) || blob.putAtMs > beforeMs) continue
      if (!dryRun) store.remove(blob.name)
      removed.push(blob)
    }
    return {
      dryRun,
      blobs: known.size,
      referenced: referenced.size,
      removed: removed.map(({ name }) => name),
      removedBytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    }
  } finally {
    if (!isLog(options.log)) await log.close()
  }
}

async function referencedBlobs(
  log: Log,
  topics: readonly string[],
  known: ReadonlyMap<string, number>
): Promise<Set<string>> {
  const admin = log.admin()
  const consumer = log.consumer({ isolation: 'read_uncommitted', offsetReset: 'earliest' })
  const referenced = new Set<string>()
  const sizes = new Set(known.values())
  const note = (bytes: Buffer) => {
    for (const { name, sizeBytes } of blobReferencesIn(bytes, sizes)) {
      if (known.get(name) === sizeBytes) referenced.add(name)
    }
  }
  try {
    const described = await admin.describeTopics(topics)
    const partitions = [...described].flatMap(([topic, { partitions: all }]) =>
      all.map(({ index: partition }) => ({ topic, partition }))
    )
    if (partitions.length > 0) await readAll(consumer, partitions, note)
  } finally {
    await consumer.close()
    await admin.close()
  }
  return referenced
}

/** Shows all keys and values that were there at the beginning of the call. */
async function readAll(
  consumer: Consumer,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  note: (bytes: Buffer) => void
): Promise<void> {
  const ends = await consumer.endOffsets(partitions, 'read_uncommitted')
  const starts = await consumer.beginningOffsets(partitions)
  consumer.assign(partitions)
  const left = new Set<string>()
  for (const one of partitions) {
    const id = partitionKey(one.topic, one.partition)
    const startOffset = starts.get(id) ?? 0
    consumer.seek(one, startOffset)
    if (startOffset < (ends.get(id) ?? 0)) left.add(id)
  }
  while (left.size > 0) {
    for (const { topic, partition, batches, nextOffset } of await consumer.poll(1_000)) {
      for (const batch of batches) {
        const view = batch.records()
        while (view.next()) {
          const { buffer, keyStart, keyEnd, valueStart, valueEnd } = view
          if (keyEnd > keyStart) note(buffer.subarray(keyStart, keyEnd))
          if (valueEnd > valueStart) note(buffer.subarray(valueStart, valueEnd))
        }
      }
      const id = partitionKey(topic, partition)
      if (nextOffset >= (ends.get(id) ?? 0)) left.delete(id)
    }
  }
}
