import { ErrorCode } from '../../wire/errors.ts'
import type { Group, GroupConfig, GroupEffect, Member } from './group.ts'
import { findMember, type MemberIdentity } from './identity.ts'
import { rebalanceOrComplete, removeMember } from './rebalance.ts'

/** One error code per member asked for, in order, and what is to be done. */
export interface Departure {
  readonly errorCodes: readonly number[]
  readonly effects: readonly GroupEffect[]
}

/** Members leave; an administrator may name a static one by its instance id alone. */
export function leave(
  group: Group | undefined,
  leaving: readonly MemberIdentity[],
  options: { config: GroupConfig; nowMs: number }
): Departure {
  if (group === undefined) return { errorCodes: leaving.map(() => ErrorCode.UNKNOWN_MEMBER_ID), effects: [] }
  const effects: GroupEffect[] = []
  let changed = false
  const errorCodes = leaving.map((identity) => {
    if (identity.instanceId === null && group.pendingMembers.delete(identity.memberId)) {
      changed ||= group.state === 'PreparingRebalance'
      return ErrorCode.NONE
    }
    const member = find(group, identity)
    if (typeof member === 'number') return member
    effects.push(...removeMember(group, member))
    changed = true
    return ErrorCode.NONE
  })
  if (changed) effects.push(...rebalanceOrComplete(group, options.config, options.nowMs))
  return { errorCodes, effects }
}

function find(group: Group, identity: MemberIdentity): Member | number {
  if (identity.memberId !== '' || identity.instanceId === null) return findMember(group, identity)
  const memberId = group.staticMembers.get(identity.instanceId)
  return group.members.get(memberId ?? '') ?? ErrorCode.UNKNOWN_MEMBER_ID
}

/** Removes all members that `isGone` tells, as if their sessions had ended. */
export function removeMembers(
  group: Group,
  isGone: (member: Member) => boolean,
  options: { config: GroupConfig; nowMs: number }
): GroupEffect[] {
  const gone = [...group.members.values()].filter(isGone)
  if (gone.length === 0) return []
  const effects = gone.flatMap((member) => removeMember(group, member))
  return [...effects, ...rebalanceOrComplete(group, options.config, options.nowMs)]
}
