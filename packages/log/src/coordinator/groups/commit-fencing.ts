import { ErrorCode } from '../../wire/errors.ts'
import { type Group, renewSession } from './group.ts'
import { findMemberOf, type MemberIdentity } from './identity.ts'

/** Who commits offsets. */
export interface CommitterIdentity extends MemberIdentity {
  /** Below 0 for a client that is no member. */
  readonly generation: number
  /** Whether the offsets are part of a transaction. */
  readonly transactional: boolean
}

/**
 * Whether the client may commit offsets of the group; 0 or the error to answer.
 *
 * A member must be of the current generation, so that one that lost its partitions cannot overwrite their new owner's positions. A client
 * that is no member may commit while the group has none. Transactions of older clients do not say who they are and pass.
 * A member's commit shows that it lives, as a heartbeat does.
 */
export function fenceCommit(group: Group | undefined, committer: CommitterIdentity, nowMs: number): number {
  const { generation, memberId, instanceId, transactional } = committer
  if (group === undefined) return generation < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  if (generation < 0 && group.state === 'Empty') return ErrorCode.NONE
  if (generation < 0 && memberId === '' && instanceId === null) {
    return transactional ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }
  const member = findMemberOf(group, committer, generation)
  if (typeof member === 'number') return member
  if (transactional) return ErrorCode.NONE
  if (group.state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
  renewSession(member, nowMs)
  return ErrorCode.NONE
}
