import type { syncGroup } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

/** SyncGroup: the leader hands in everyone's assignment; each member gets its own once that is durable. */
export const handleSyncGroup: Handler<typeof syncGroup> = async (context, request) => {
  const { groupId, generationId: generation, memberId, groupInstanceId: instanceId } = request
  const { protocolType, protocolName } = request
  // Kept until the next generation, so not as views of the request.
  const assignments = new Map(request.assignments.map((each) => [each.memberId, Buffer.from(each.assignment)]))
  const input = { memberId, instanceId, generation, protocolType, protocolName, assignments }
  return { throttleTimeMs: 0, ...(await context.groups.sync(groupId, input)) }
}
