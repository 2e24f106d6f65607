import type { heartbeat } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

/** Heartbeat: the member lives; the error code tells it to join again, or that it is not one any more. */
export const handleHeartbeat: Handler<typeof heartbeat> = (context, request) => {
  const { groupId, generationId: generation, memberId, groupInstanceId: instanceId } = request
  return { throttleTimeMs: 0, errorCode: context.groups.heartbeat(groupId, { generation, memberId, instanceId }) }
}
