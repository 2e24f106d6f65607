import { ErrorCode } from '../../wire/errors.ts'
import type { writeTxnMarkers } from '../../wire/messages/index.ts'
import { failureOrThrow } from '../failure.ts'
import type { Handler } from '../handler.ts'

/** WriteTxnMarkers: another coordinator, or an administrator who ends a hanging transaction, has markers written here. */
export const handleWriteTxnMarkers: Handler<typeof writeTxnMarkers> = async (context, request) => {
  const timestampMs = context.environment.clock.nowMs()
  const markers = request.markers.map(
    async ({ producerId, producerEpoch, transactionResult, topics, coordinatorEpoch }) => {
      const marker = { producerId, producerEpoch, coordinatorEpoch, commit: transactionResult, timestampMs }
      const write = async (topic: string, partitionIndex: number) => {
        try {
          await context.transactions.markers.write(topic, partitionIndex, marker)
          return { partitionIndex, errorCode: ErrorCode.NONE }
        } catch (error) {
          return { partitionIndex, errorCode: failureOrThrow(error).errorCode }
        }
      }
      const written = topics.map(async ({ name, partitionIndexes }) => ({
        name,
        partitions: await Promise.all(partitionIndexes.map((index) => write(name, index)))
      }))
      return { producerId, topics: await Promise.all(written) }
    }
  )
  return { markers: await Promise.all(markers) }
}
