import { ErrorCode } from '../../wire/errors.ts'
import type { addOffsetsToTxn } from '../../wire/messages/index.ts'
import { OFFSETS_TOPIC } from '../coordination/partition-directory.ts'
import type { Handler } from '../handler.ts'

/** AddOffsetsToTxn of the older protocol: the partition that keeps the group's offsets becomes part of the transaction. */
export const handleAddOffsetsToTxn: Handler<typeof addOffsetsToTxn> = async (context, request) => {
  if (request.groupId === '') return { throttleTimeMs: 0, errorCode: ErrorCode.INVALID_GROUP_ID }
  await context.partitions.ensureInternalTopic(OFFSETS_TOPIC)
  const partitions = new Map([[OFFSETS_TOPIC, [context.groups.partitionOf(request.groupId)]]])
  return { throttleTimeMs: 0, errorCode: await context.transactions.addPartitions(request, partitions, 0) }
}
