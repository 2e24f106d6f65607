import { CorruptionError } from '../../errors.ts'
import type { Isolation, Partition } from '../../partition/partition.ts'
import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { batchLeaderEpoch } from '../../wire/batch/header.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { listOffsets } from '../../wire/messages/index.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'
import { checkLeaderEpoch, ledPartition } from '../led-partition.ts'

const NO_EPOCH = -1

type Wanted = RequestOf<typeof listOffsets>['topics'][number]['partitions'][number]
type Listed = ResponseOf<typeof listOffsets>['topics'][number]['partitions'][number]

/** Timestamps that ask for something else (KIP-79, KIP-734, KIP-405). */
const Ask = { latest: -1, earliest: -2, maxTimestamp: -3, earliestLocal: -4, latestTiered: -5 } as const

/**
 * ListOffsets. The end of what the isolation level shows, the start, the record with the greatest timestamp, or the first one
 * at or after a timestamp. Nothing found answers offset -1 without an error.
 */
export const handleListOffsets: Handler<typeof listOffsets> = (context, request) => {
  const isolation = request.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted'
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((wanted) => listPartition(context, name, { wanted, isolation }))
    }))
  }
}

function listPartition(
  context: BrokerContext,
  topic: string,
  { wanted, isolation }: { wanted: Wanted; isolation: Isolation }
): Listed {
  const nothing = {
    partitionIndex: wanted.partitionIndex,
    errorCode: ErrorCode.NONE,
    timestamp: -1,
    offset: -1,
    leaderEpoch: -1
  }
  try {
    const partition = ledPartition(context, topic, wanted.partitionIndex)
    checkLeaderEpoch(partition, wanted.currentLeaderEpoch)
    return { ...nothing, ...find(partition, wanted.timestamp, isolation) }
  } catch (error) {
    return { ...nothing, errorCode: failureOrThrow(error).errorCode }
  }
}

function find(partition: Partition, timestamp: number, isolation: Isolation): Partial<Listed> {
  switch (timestamp) {
    case Ask.latest:
      return {
        offset: isolation === 'read_committed' ? partition.lastStableOffset : partition.highWatermark,
        leaderEpoch: partition.leaderEpoch
      }
    case Ask.earliest:
    case Ask.earliestLocal:
      return { offset: partition.logStartOffset, leaderEpoch: epochAt(partition, partition.logStartOffset) }
    case Ask.latestTiered:
      return {}
    case Ask.maxTimestamp:
      return found(partition, partition.maxTimestamp(isolation))
    default:
      return found(partition, partition.offsetForTimestamp(timestamp, isolation))
  }
}

function found(partition: Partition, at: { offset: number; timestampMs: number } | undefined): Partial<Listed> {
  if (at === undefined) return {}
  return { offset: at.offset, timestamp: at.timestampMs, leaderEpoch: epochAt(partition, at.offset) }
}

/**
 * Leader epoch of the batch that holds the offset; the partition's own where none is left to tell, and none where the batch is damaged: the
 * offset is known all the same.
 */
function epochAt(partition: Partition, offset: number): number {
  try {
    const [chunk] = partition.read({ offset, maxBytes: 1, isolation: 'log_end' }).chunks
    return chunk === undefined ? partition.leaderEpoch : batchLeaderEpoch(chunk)
  } catch (error) {
    if (error instanceof CorruptionError) return NO_EPOCH
    throw error
  }
}
