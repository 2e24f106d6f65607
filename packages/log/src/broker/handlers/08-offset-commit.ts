import { ErrorCode } from '../../wire/errors.ts'
import type { offsetCommit } from '../../wire/messages/index.ts'
import { checkOffsets } from '../coordination/offsets-request.ts'
import { failureOf } from '../failure.ts'
import type { Handler } from '../handler.ts'

/** OffsetCommit: stores positions of a group, from a member of its current generation or, while it has none, from anyone. */
export const handleOffsetCommit: Handler<typeof offsetCommit> = async (context, request) => {
  const { groupId, memberId, groupInstanceId: instanceId, retentionTimeMs } = request
  const expireTimestampMs = retentionTimeMs === -1 ? -1 : context.environment.clock.nowMs() + retentionTimeMs
  const checked = checkOffsets(context, groupId, { topics: request.topics, expireTimestampMs })
  const generation = request.generationIdOrMemberEpoch
  try {
    const outcome = await context.groups.commit({
      groupId,
      committer: { memberId, instanceId, generation, transactional: false },
      offsets: checked.valid
    })
    return { throttleTimeMs: 0, topics: checked.answer(outcome) }
  } catch (error) {
    if (failureOf(error) === undefined) throw error
    return { throttleTimeMs: 0, topics: checked.answer(ErrorCode.COORDINATOR_NOT_AVAILABLE) }
  }
}
