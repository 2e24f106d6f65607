import { ErrorCode } from '../../wire/errors.ts'
import {
  enterState,
  type Group,
  type GroupConfig,
  type GroupEffect,
  joinAnswer,
  joinRefusal,
  type Member,
  renewSession,
  syncRefusal
} from './group.ts'
import { selectProtocol } from './protocols.ts'

const never = Number.POSITIVE_INFINITY
const noAssignment = Buffer.alloc(0)

/** Starts a rebalance where the state allows one, and completes one that waits for nobody any more. */
export function rebalanceOrComplete(group: Group, config: GroupConfig, nowMs: number): GroupEffect[] {
  if (group.state === 'PreparingRebalance') return completeIfAllJoined(group, nowMs)
  return prepareRebalance(group, config, nowMs)
}

/** Enters PreparingRebalance: who waits for an assignment is told to join again, and the members are given time to do so. */
export function prepareRebalance(group: Group, config: GroupConfig, nowMs: number): GroupEffect[] {
  const effects = refuseSyncs(group)
  const gathers = group.state === 'Empty' && config.groupInitialRebalanceDelayMs > 0
  clearSyncs(group)
  enterState(group, 'PreparingRebalance', nowMs)
  const longestMs = longestRebalanceTimeoutMs(group)
  if (gathers) {
    const delayMs = Math.min(config.groupInitialRebalanceDelayMs, longestMs)
    group.gathering = { remainingMs: longestMs - delayMs, memberArrived: false }
    group.rebalanceDeadlineMs = nowMs + delayMs
    return effects
  }
  group.rebalanceDeadlineMs = nowMs + longestMs
  return [...effects, ...completeIfAllJoined(group, nowMs)]
}

function refuseSyncs(group: Group): GroupEffect[] {
  const effects: GroupEffect[] = []
  if (group.state !== 'CompletingRebalance') return effects
  for (const member of group.members.values()) {
    member.assignment = noAssignment
    if (member.syncToken === undefined) continue
    const answer = syncRefusal(ErrorCode.REBALANCE_IN_PROGRESS)
    effects.push({ kind: 'sync-answer', token: member.syncToken, answer })
    member.syncToken = undefined
  }
  return effects
}

function clearSyncs(group: Group): void {
  group.pendingSyncs.clear()
  group.syncDeadlineMs = never
}

function longestRebalanceTimeoutMs(group: Group): number {
  let longestMs = 0
  for (const member of group.members.values()) longestMs = Math.max(longestMs, member.rebalanceTimeoutMs)
  return longestMs
}

/** Completes the join phase once every member and every handed-out id has joined. A gathering group waits for its delay. */
export function completeIfAllJoined(group: Group, nowMs: number): GroupEffect[] {
  if (group.state !== 'PreparingRebalance' || group.gathering !== undefined) return []
  if (group.pendingMembers.size > 0) return []
  for (const member of group.members.values()) if (member.joinToken === undefined) return []
  return completeJoin(group, nowMs)
}

/** The time to wait for members is over. */
export function endOfWaiting(group: Group, config: GroupConfig, nowMs: number): GroupEffect[] {
  const { gathering } = group
  if (gathering?.memberArrived && gathering.remainingMs > 0) {
    const delayMs = Math.min(config.groupInitialRebalanceDelayMs, gathering.remainingMs)
    gathering.remainingMs -= delayMs
    gathering.memberArrived = false
    group.rebalanceDeadlineMs = nowMs + delayMs
    return []
  }
  return completeJoin(group, nowMs)
}

/**
 * The next generation begins.
 *
 * 1. Dynamic members that did not join again are gone; static ones keep their place.
 * 2. Without any member the group is empty, and that is logged.
 * 3. When no one joined (all static, all away) wait on.
 * 4. The leader stays if it joined; else the first that did leads.
 * 5. Everyone who waits is answered, the leader with the list of members; then they ask for their assignments.
 */
function completeJoin(group: Group, nowMs: number): GroupEffect[] {
  group.gathering = undefined
  for (const member of [...group.members.values()]) {
    if (member.joinToken === undefined && member.instanceId === null) forget(group, member)
  }
  if (group.members.size === 0) return becomeEmpty(group, nowMs)
  if (!electLeader(group)) {
    group.rebalanceDeadlineMs = nowMs + longestRebalanceTimeoutMs(group)
    return []
  }
  group.generation += 1
  group.protocolName = selectProtocol(group)
  group.rebalanceDeadlineMs = never
  enterState(group, 'CompletingRebalance', nowMs)
  return admitMembers(group, nowMs)
}

function becomeEmpty(group: Group, nowMs: number): GroupEffect[] {
  group.generation += 1
  group.protocolName = null
  group.leaderId = null
  group.rebalanceDeadlineMs = never
  clearSyncs(group)
  enterState(group, 'Empty', nowMs)
  return [{ kind: 'persist' }]
}

function electLeader(group: Group): boolean {
  const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId)
  if (leader?.joinToken !== undefined) return true
  for (const member of group.members.values()) {
    if (member.joinToken === undefined) continue
    group.leaderId = member.memberId
    return true
  }
  return false
}

function admitMembers(group: Group, nowMs: number): GroupEffect[] {
  const effects: GroupEffect[] = []
  for (const member of group.members.values()) {
    const token = member.joinToken
    member.joinToken = undefined
    member.isNew = false
    renewSession(member, nowMs)
    group.pendingSyncs.add(member.memberId)
    if (token !== undefined) effects.push({ kind: 'join-answer', token, answer: joinAnswer(group, member) })
  }
  group.syncDeadlineMs = nowMs + longestRebalanceTimeoutMs(group)
  return effects
}

/** Takes a member out; what the coordinator holds of it is answered UNKNOWN_MEMBER_ID. The caller rebalances. */
export function removeMember(group: Group, member: Member): GroupEffect[] {
  const effects: GroupEffect[] = []
  if (member.joinToken !== undefined) {
    const answer = joinRefusal(ErrorCode.UNKNOWN_MEMBER_ID, member.memberId)
    effects.push({ kind: 'join-answer', token: member.joinToken, answer })
  }
  if (member.syncToken !== undefined) {
    effects.push({ kind: 'sync-answer', token: member.syncToken, answer: syncRefusal(ErrorCode.UNKNOWN_MEMBER_ID) })
  }
  forget(group, member)
  return effects
}

function forget(group: Group, member: Member): void {
  group.members.delete(member.memberId)
  group.pendingSyncs.delete(member.memberId)
  if (member.instanceId !== null && group.staticMembers.get(member.instanceId) === member.memberId) {
    group.staticMembers.delete(member.instanceId)
  }
  if (group.leaderId === member.memberId) group.leaderId = group.members.keys().next().value ?? null
}
