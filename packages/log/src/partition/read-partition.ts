import type { PartitionLog } from '../storage/partition-log.ts'
import type { AbortedTransaction, BatchRead, ReadRequest } from '../storage/read.ts'
import { readLog } from '../storage/read-log.ts'
import { batchLastOffset, batchSizeBytes } from '../wire/batch/header.ts'
import { protocolError } from '../wire/errors.ts'
import type { CommitProgress } from './commit-progress.ts'
import type { TailCache } from './tail-cache.ts'

/** What a read looks at. */
export interface ReadSource {
  readonly log: PartitionLog
  readonly progress: CommitProgress
  readonly tail: TailCache
}

/**
 * Reads whole batches below the bound of the isolation level, from memory where the reader keeps up, else from disk.
 * @throws ProtocolError OFFSET_OUT_OF_RANGE; CorruptionError when the batch at the offset is damaged on disk.
 */
export function readPartition(source: ReadSource, request: ReadRequest): BatchRead {
  const { log, progress } = source
  const { highWatermark, lastStableOffset } = progress
  if (request.offset < log.logStartOffset || request.offset > log.endOffset) {
    const { topic, partition } = log.place
    const message = `the log holds ${log.logStartOffset} to ${log.endOffset}`
    throw protocolError('OFFSET_OUT_OF_RANGE', { topic, partition, offset: request.offset, message })
  }
  const bounds = { log_end: log.endOffset, read_uncommitted: highWatermark, read_committed: lastStableOffset }
  const endOffset = bounds[request.isolation]
  const chunks = request.offset < endOffset ? readChunks(source, request, endOffset) : []
  return {
    chunks,
    sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    highWatermark,
    lastStableOffset,
    logStartOffset: log.logStartOffset,
    abortedTransactions: request.isolation === 'read_committed' ? abortedIn(log, request.offset, chunks) : []
  }
}

function readChunks(source: ReadSource, request: ReadRequest, endOffset: number): readonly Buffer[] {
  const range = { offset: request.offset, maxBytes: request.maxBytes, endOffset }
  return source.tail.read(range) ?? readLog(source.log, range)
}

function abortedIn(log: PartitionLog, offset: number, chunks: readonly Buffer[]): readonly AbortedTransaction[] {
  const last = chunks.at(-1)
  if (last === undefined) return []
  let toOffset = offset
  for (let at = 0; at < last.length; at += batchSizeBytes(last, at)) toOffset = batchLastOffset(last, at) + 1
  return log.abortedTransactions(offset, toOffset).map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}
