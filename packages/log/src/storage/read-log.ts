import { CorruptionError } from '../errors.ts'
import type { PartitionLog } from './partition-log.ts'
import { SegmentSuffix } from './segment/file-names.ts'
import { offsetAfter, type Segment } from './segment/segment.ts'

/** Which batches to read: from the one that contains `offset` on, all below `endOffset`. */
export interface LogRead {
  readonly offset: number
  readonly maxBytes: number
  readonly endOffset: number
}

/**
 * Reads whole batches from the segments' files, across segments until `maxBytes` are reached; the first batch comes whole even when it
 * is larger.
 * @throws CorruptionError naming file and position when the first batch is damaged. The segment is then marked, so that the next
 * start moves the bad bytes aside.
 */
export function readLog(log: PartitionLog, request: LogRead): Buffer[] {
  const chunks: Buffer[] = []
  let left = request.maxBytes
  let { offset } = request
  for (let index = Math.max(0, log.segmentIndexOf(offset)); index < log.segments.length; index++) {
    const segment = log.usable(index, 'offsets')
    offset = Math.max(offset, segment.baseOffset)
    const bytes = readSegment(log, segment, { offset, maxBytes: left, endOffset: request.endOffset }, chunks.length > 0)
    if (bytes === undefined || (chunks.length > 0 && bytes.length > left)) break
    if (bytes.length > 0) {
      chunks.push(bytes)
      left -= bytes.length
      offset = offsetAfter(bytes)
    }
    if (left <= 0 || offset < segment.nextOffset) break
  }
  return chunks
}

/**
 * Whole batches of one segment. Undefined when the bytes are damaged and the reader has some already: it will meet the damage when it
 * comes back for more.
 */
export function readSegment(
  log: PartitionLog,
  segment: Segment,
  request: LogRead,
  hasSome = false
): Buffer | undefined {
  try {
    return segment.read({ ...request, epochAt: (offset) => log.epochs.epochAt(offset) })
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    markDamaged(log, segment, error)
    if (hasSome) return undefined
    throw error
  }
}

/** Leaves a note beside the segment, so that the next start reads it whole and repairs it. */
function markDamaged(log: PartitionLog, segment: Segment, error: CorruptionError): void {
  const { files, onDamage } = log.place
  if (segment.damaged) return
  segment.damaged = true
  files.open(segment.path + SegmentSuffix.suspect, 'write').close()
  onDamage({
    kind: 'unreadable',
    path: error.path,
    position: error.position,
    sizeBytes: 0,
    fromOffset: segment.baseOffset,
    toOffset: segment.nextOffset,
    savedAs: undefined,
    message: error.message
  })
}
