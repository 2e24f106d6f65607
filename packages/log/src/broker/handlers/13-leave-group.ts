import { ErrorCode } from '../../wire/errors.ts'
import type { leaveGroup } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

/** Version from which on several members leave at once (KIP-345). */
const FIRST_BATCHED_VERSION = 3

/** LeaveGroup. */
export const handleLeaveGroup: Handler<typeof leaveGroup> = async (context, request, session) => {
  const batched = session.apiVersion >= FIRST_BATCHED_VERSION
  const leaving = batched
    ? request.members.map(({ memberId, groupInstanceId: instanceId }) => ({ memberId, instanceId }))
    : [{ memberId: request.memberId, instanceId: null }]
  const codes = await context.groups.leave(request.groupId, leaving)
  if (typeof codes === 'number') return { throttleTimeMs: 0, errorCode: codes, members: [] }
  if (!batched) return { throttleTimeMs: 0, errorCode: codes[0], members: [] }
  const members = leaving.map(({ memberId, instanceId: groupInstanceId }, index) => ({
    memberId,
    groupInstanceId,
    errorCode: codes[index]
  }))
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, members }
}
