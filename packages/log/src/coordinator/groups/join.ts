import { ErrorCode } from '../../wire/errors.ts'
import {
  type Group,
  type GroupConfig,
  type GroupEffect,
  type JoinAnswer,
  joinAnswer,
  joinRefusal,
  type Member,
  NEW_MEMBER_JOIN_TIMEOUT_MS,
  renewSession
} from './group.ts'
import { findMember } from './identity.ts'
import { type JoinContext, type JoinInput, updateMember } from './join-input.ts'
import { sameProtocols, supportsProtocols } from './protocols.ts'
import { completeIfAllJoined, rebalanceOrComplete } from './rebalance.ts'
import { takeOverStaticMember } from './static-member.ts'

/** A client asks to be a member of the next generation. */
export function join(group: Group, input: JoinInput, options: { config: GroupConfig; nowMs: number }): GroupEffect[] {
  const context: JoinContext = { group, input, ...options }
  const problem = inputProblem(context)
  if (problem === ErrorCode.GROUP_MAX_SIZE_REACHED) return turnAway(context)
  if (problem !== 0) return refuse(context, problem)
  return input.memberId === '' ? joinWithoutId(context) : joinWithId(context)
}

function inputProblem({ group, input, config }: JoinContext): number {
  const { sessionTimeoutMs, memberId, instanceId } = input
  if (sessionTimeoutMs < config.groupMinSessionTimeoutMs || sessionTimeoutMs > config.groupMaxSessionTimeoutMs) {
    return ErrorCode.INVALID_SESSION_TIMEOUT
  }
  const placeTakenOver = instanceId === null ? undefined : group.staticMembers.get(instanceId)
  if (!supportsProtocols(group, input.protocolType, input.protocols, placeTakenOver ?? memberId)) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  const isMember = placeTakenOver !== undefined || group.members.has(memberId)
  if (!isMember && group.members.size >= config.groupMaxSize) return ErrorCode.GROUP_MAX_SIZE_REACHED
  return 0
}

/** The group is full; nobody waits any longer for the client whose id was handed out. */
function turnAway(context: JoinContext): GroupEffect[] {
  const { group, input, nowMs } = context
  const effects = refuse(context, ErrorCode.GROUP_MAX_SIZE_REACHED)
  return group.pendingMembers.delete(input.memberId) ? [...effects, ...completeIfAllJoined(group, nowMs)] : effects
}

function joinWithoutId(context: JoinContext): GroupEffect[] {
  const { group, input, nowMs } = context
  if (input.instanceId !== null) {
    const owner = group.members.get(group.staticMembers.get(input.instanceId) ?? '')
    return owner === undefined ? addMember(context, input.freshMemberId) : takeOverStaticMember(context, owner)
  }
  if (!input.knowsMemberIdRequired) return addMember(context, input.freshMemberId)
  // The client learns its id first, so that a lost answer does not leave a member behind that no one is (KIP-394).
  group.pendingMembers.set(input.freshMemberId, nowMs + input.sessionTimeoutMs)
  return answer(context, joinRefusal(ErrorCode.MEMBER_ID_REQUIRED, input.freshMemberId))
}

function joinWithId(context: JoinContext): GroupEffect[] {
  const { group, input } = context
  if (group.pendingMembers.has(input.memberId) && input.instanceId === null) return addMember(context, input.memberId)
  const member = findMember(group, input)
  if (typeof member === 'number') return refuse(context, member)
  switch (group.state) {
    case 'Empty':
      return refuse(context, ErrorCode.UNKNOWN_MEMBER_ID)
    case 'PreparingRebalance':
      return rejoin(context, member)
    case 'CompletingRebalance':
      // Its answer may have been lost: the same one again.
      return sameProtocols(member, input.protocols) ? answerCurrent(context, member) : rejoin(context, member)
    case 'Stable': {
      const changed = !sameProtocols(member, input.protocols)
      const asksForRebalance = member.memberId === group.leaderId
      return changed || asksForRebalance ? rejoin(context, member) : answerCurrent(context, member)
    }
  }
}

function addMember(context: JoinContext, memberId: string): GroupEffect[] {
  const { group, input, config, nowMs } = context
  const { instanceId, clientId, clientHost, sessionTimeoutMs, protocols } = input
  group.pendingMembers.delete(memberId)
  group.members.set(memberId, {
    memberId,
    instanceId,
    clientId,
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: input.rebalanceTimeoutMs,
    protocols,
    assignment: Buffer.alloc(0),
    isNew: true,
    sessionDeadlineMs: nowMs + NEW_MEMBER_JOIN_TIMEOUT_MS,
    joinToken: input.token,
    syncToken: undefined
  })
  if (instanceId !== null) group.staticMembers.set(instanceId, memberId)
  group.protocolType = input.protocolType
  group.leaderId ??= memberId
  if (group.gathering !== undefined) group.gathering.memberArrived = true
  return rebalanceOrComplete(group, config, nowMs)
}

function rejoin(context: JoinContext, member: Member): GroupEffect[] {
  const { group, input, config, nowMs } = context
  const effects: GroupEffect[] = []
  if (member.joinToken !== undefined) {
    const superseded = joinRefusal(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId)
    effects.push({ kind: 'join-answer', token: member.joinToken, answer: superseded })
  }
  updateMember(member, input)
  renewSession(member, nowMs)
  return [...effects, ...rebalanceOrComplete(group, config, nowMs)]
}

function answerCurrent(context: JoinContext, member: Member): GroupEffect[] {
  renewSession(member, context.nowMs)
  return answer(context, joinAnswer(context.group, member))
}

function answer(context: JoinContext, joined: JoinAnswer): GroupEffect[] {
  return [{ kind: 'join-answer', token: context.input.token, answer: joined }]
}

function refuse(context: JoinContext, errorCode: number): GroupEffect[] {
  return answer(context, joinRefusal(errorCode, context.input.memberId))
}
