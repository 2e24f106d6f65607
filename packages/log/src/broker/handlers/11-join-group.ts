import { joinRefusal } from '../../coordinator/groups/group.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { joinGroup } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'
import { randomUuid } from '../uuid.ts'

/**
 * JoinGroup: held until the next generation begins.
 * - Version 0 has no rebalance timeout; the session's stands for it.
 * - From version 4 on a client without an id is told its id first (KIP-394).
 * - From version 9 on a static member that leads again may be told to assign nothing.
 */
export const handleJoinGroup: Handler<typeof joinGroup> = async (context, request, session) => {
  const { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId, groupInstanceId: instanceId } = request
  const answer =
    groupId === ''
      ? joinRefusal(ErrorCode.INVALID_GROUP_ID, memberId)
      : await context.groups.join(groupId, {
          memberId,
          instanceId,
          clientId: session.clientId,
          clientHost: session.clientHost,
          sessionTimeoutMs,
          rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
          protocolType: request.protocolType,
          // Kept for as long as the member lives, so not as a view of the request.
          protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
          freshMemberId: `${instanceId ?? session.clientId}-${randomUuid(context.environment.random)}`,
          knowsMemberIdRequired: session.apiVersion >= 4,
          knowsSkipAssignment: session.apiVersion >= 9
        })
  return {
    throttleTimeMs: 0,
    errorCode: answer.errorCode,
    generationId: answer.generation,
    protocolType: answer.protocolType,
    // Null is legal from version 7 on only.
    protocolName: answer.protocolName ?? (session.apiVersion >= 7 ? null : ''),
    leader: answer.leaderId,
    skipAssignment: answer.skipAssignment,
    memberId: answer.memberId,
    members: answer.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      metadata: member.metadata
    }))
  }
}
