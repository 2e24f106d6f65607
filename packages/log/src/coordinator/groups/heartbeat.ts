import { ErrorCode } from '../../wire/errors.ts'
import { type Group, renewSession } from './group.ts'
import { findMemberOf, type MemberIdentity } from './identity.ts'

/** A Heartbeat. */
export interface HeartbeatInput extends MemberIdentity {
  readonly generation: number
}

/** A member says that it lives; the answer's error code tells it whether to join again. */
export function heartbeat(group: Group | undefined, input: HeartbeatInput, nowMs: number): number {
  const member = findMemberOf(group, input, input.generation)
  if (typeof member === 'number' || group === undefined) return Number(member)
  if (group.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  renewSession(member, nowMs)
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}
