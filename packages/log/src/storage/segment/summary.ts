import { writeFileAtomically } from '../../environment/atomic-file.ts'
import type { FileSystem } from '../../environment/environment.ts'
import { crc32c } from '../../wire/crc32c.ts'
import type { EpochStart } from '../checkpoint/leader-epochs.ts'
import { isMissing } from '../errors.ts'
import type { FileSum } from './entry-file.ts'
import type { TimestampOffset } from './time-index.ts'

/**
 * What is certain about a segment: all of this was synced when it was written. It bounds recovery (only bytes behind
 * `logSizeBytes` are scanned after a crash) and guards what Kafka's own formats leave without a checksum.
 */
export interface SegmentSummary {
  readonly topicId: string
  readonly logSizeBytes: number
  /** Offset after the last record in the first `logSizeBytes` bytes. */
  readonly nextOffset: number
  /** How many offsets its batches span together. */
  readonly coveredOffsets: number
  readonly logStartOffset: number
  readonly createdMs: number
  /** All records of the partition below this offset were compacted when the segment was written; 0 in one that was not compacted. */
  readonly cleanedTo?: number
  /** Timestamp that rolling by age counts from; -1 while there is none. */
  readonly firstTimestampMs: number
  readonly greatest: TimestampOffset
  readonly bytesSinceIndexEntry: number
  readonly offsetIndex: FileSum
  readonly timeIndex: FileSum
  readonly transactionIndex: FileSum
  /** The partition's leader epochs, as in `leader-epoch-checkpoint`. */
  readonly epochs: readonly EpochStart[]
}

/** Replaces the summary at `path`, atomically and synced. */
export async function writeSummary(files: FileSystem, path: string, summary: SegmentSummary): Promise<void> {
  await writeFileAtomically(files, path, encodeSummary(summary))
}

/** The summary at `path`; `missing` or `damaged` when there is none to believe. */
export function readSummary(files: FileSystem, path: string): SegmentSummary | 'missing' | 'damaged' {
  try {
    return decodeSummary(files.readFile(path)) ?? 'damaged'
  } catch (error) {
    if (isMissing(error)) return 'missing'
    throw error
  }
}

/** A line with the CRC-32C of the second line in hexadecimal, then the summary as JSON. */
export function encodeSummary(summary: SegmentSummary): Buffer {
  const body = Buffer.from(`${JSON.stringify({ version: 1, ...summary })}\n`)
  return Buffer.concat([Buffer.from(`${checksumText(body)}\n`), body])
}

/** The summary in `content`, or undefined when it is damaged or of another version. */
export function decodeSummary(content: Buffer): SegmentSummary | undefined {
  if (content.length < 10 || content.toString('latin1', 0, 9) !== `${checksumText(content.subarray(9))}\n`)
    return undefined
  const { version, ...summary }: { version: number } & SegmentSummary = JSON.parse(content.toString('utf8', 9))
  return version === 1 ? summary : undefined
}

function checksumText(body: Buffer): string {
  return crc32c(body).toString(16).padStart(8, '0')
}
