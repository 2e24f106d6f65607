import { ErrorCode } from '../../wire/errors.ts'
import {
  type Group,
  type GroupEffect,
  joinAnswer,
  joinRefusal,
  type Member,
  participants,
  renewSession,
  syncRefusal
} from './group.ts'
import { type JoinContext, updateMember } from './join-input.ts'
import { selectProtocol } from './protocols.ts'
import { rebalanceOrComplete } from './rebalance.ts'

/**
 * A client joins under an instance id that a member has (KIP-345): it takes that member's place under a new member id, and whoever
 * used the old one is fenced. A stable group whose protocol stays what it was need not rebalance: the newcomer gets the assignment that
 * is there.
 */
export function takeOverStaticMember(context: JoinContext, owner: Member): GroupEffect[] {
  const { group, input, config, nowMs } = context
  const formerId = owner.memberId
  const formerLeader = group.leaderId
  const effects = fenceHolder(owner)
  rename(group, owner, input.freshMemberId)
  updateMember(owner, input)
  renewSession(owner, nowMs)
  const keepsAssignment = group.state === 'Stable' && selectProtocol(group) === group.protocolName
  if (!keepsAssignment) return [...effects, ...rebalanceOrComplete(group, config, nowMs)]
  owner.joinToken = undefined
  const leads = formerLeader === formerId
  const joined = joinAnswer(group, owner)
  const answer = leads
    ? // An older client would assign anew when told that it leads; told of the former id it takes itself for a follower.
      { ...joined, leaderId: input.knowsSkipAssignment ? owner.memberId : formerId, members: [], skipAssignment: false }
    : joined
  const told =
    leads && input.knowsSkipAssignment ? { ...answer, members: participants(group), skipAssignment: true } : answer
  return [...effects, { kind: 'persist' }, { kind: 'join-answer', token: input.token, answer: told }]
}

function fenceHolder(owner: Member): GroupEffect[] {
  const effects: GroupEffect[] = []
  if (owner.joinToken !== undefined) {
    const answer = joinRefusal(ErrorCode.FENCED_INSTANCE_ID, owner.memberId)
    effects.push({ kind: 'join-answer', token: owner.joinToken, answer })
    owner.joinToken = undefined
  }
  if (owner.syncToken !== undefined) {
    effects.push({ kind: 'sync-answer', token: owner.syncToken, answer: syncRefusal(ErrorCode.FENCED_INSTANCE_ID) })
    owner.syncToken = undefined
  }
  return effects
}

/** The member goes on under another id, keeping its place in the order of members. */
function rename(group: Group, member: Member, memberId: string): void {
  const formerId = member.memberId
  const inOrder = [...group.members.values()]
  member.memberId = memberId
  group.members.clear()
  for (const each of inOrder) group.members.set(each.memberId, each)
  if (member.instanceId !== null) group.staticMembers.set(member.instanceId, memberId)
  if (group.leaderId === formerId) group.leaderId = memberId
  if (group.pendingSyncs.delete(formerId)) group.pendingSyncs.add(memberId)
}
