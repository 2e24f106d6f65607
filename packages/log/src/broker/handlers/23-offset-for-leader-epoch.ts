import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { offsetForLeaderEpoch } from '../../wire/messages/index.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'
import { checkLeaderEpoch, ledPartition } from '../led-partition.ts'

type Wanted = RequestOf<typeof offsetForLeaderEpoch>['topics'][number]['partitions'][number]
type EpochEnd = ResponseOf<typeof offsetForLeaderEpoch>['topics'][number]['partitions'][number]

/** OffsetForLeaderEpoch. Where the largest epoch at or below the asked one ended (KIP-101); (-1, -1) when it is unknown. */
export const handleOffsetForLeaderEpoch: Handler<typeof offsetForLeaderEpoch> = (context, request) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((wanted) => epochEnd(context, topic, wanted))
  }))
})

function epochEnd(context: BrokerContext, topic: string, wanted: Wanted): EpochEnd {
  try {
    const partition = ledPartition(context, topic, wanted.partition)
    checkLeaderEpoch(partition, wanted.currentLeaderEpoch)
    const { epoch: leaderEpoch, endOffset } = partition.endOffsetForEpoch(wanted.leaderEpoch)
    return { errorCode: ErrorCode.NONE, partition: wanted.partition, leaderEpoch, endOffset }
  } catch (error) {
    return { ...failureOrThrow(error), partition: wanted.partition, leaderEpoch: -1, endOffset: -1 }
  }
}
