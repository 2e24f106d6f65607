import { ErrorCode } from '../../wire/errors.ts'
import type { deleteRecords } from '../../wire/messages/index.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'
import { ledPartition } from '../led-partition.ts'

/** DeleteRecords. Moves the start of a partition up to an offset, -1 for its high watermark; answers with the new start. */
export const handleDeleteRecords: Handler<typeof deleteRecords> = async (context, request) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(({ partitionIndex, offset }) => deleteBefore(context, { name, partitionIndex, offset }))
      )
    }))
  )
})

async function deleteBefore(
  context: BrokerContext,
  { name, partitionIndex, offset }: { name: string; partitionIndex: number; offset: number }
): Promise<{ partitionIndex: number; lowWatermark: number; errorCode: number }> {
  try {
    const lowWatermark = await ledPartition(context, name, partitionIndex).deleteRecords(offset)
    return { partitionIndex, lowWatermark, errorCode: ErrorCode.NONE }
  } catch (error) {
    return { partitionIndex, lowWatermark: -1, errorCode: failureOrThrow(error).errorCode }
  }
}
