import { ErrorCode } from '../../wire/errors.ts'
import {
  enterState,
  type Group,
  type GroupEffect,
  type Member,
  renewSession,
  syncAnswer,
  syncRefusal,
  type Token
} from './group.ts'
import { findMemberOf, type MemberIdentity } from './identity.ts'

/** A SyncGroup. */
export interface SyncInput extends MemberIdentity {
  readonly token: Token
  readonly generation: number
  /** Null when the client's version does not say. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** The leader's decision, by member id; empty from the others. */
  readonly assignments: ReadonlyMap<string, Buffer>
}

const noAssignment = Buffer.alloc(0)

/** A member asks for its assignment; the leader brings everyone's. */
export function sync(group: Group | undefined, input: SyncInput, nowMs: number): GroupEffect[] {
  const member = findMemberOf(group, input, input.generation)
  if (typeof member === 'number' || group === undefined) return refuse(input, Number(member))
  const foreignType = input.protocolType !== null && input.protocolType !== group.protocolType
  const foreignName = input.protocolName !== null && input.protocolName !== group.protocolName
  if (foreignType || foreignName) return refuse(input, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  switch (group.state) {
    case 'Empty':
      return refuse(input, ErrorCode.UNKNOWN_MEMBER_ID)
    case 'PreparingRebalance':
      return refuse(input, ErrorCode.REBALANCE_IN_PROGRESS)
    case 'CompletingRebalance':
      return awaitAssignment(group, member, input, nowMs)
    case 'Stable':
      noteSynced(group, member)
      renewSession(member, nowMs)
      return [{ kind: 'sync-answer', token: input.token, answer: syncAnswer(group, member) }]
  }
}

function refuse(input: SyncInput, errorCode: number): GroupEffect[] {
  return [{ kind: 'sync-answer', token: input.token, answer: syncRefusal(errorCode) }]
}

// Four parameters: the two halves of a request's context are spelled out rather than wrapped for this one call.
function awaitAssignment(group: Group, member: Member, input: SyncInput, nowMs: number): GroupEffect[] {
  const effects: GroupEffect[] = []
  if (member.syncToken !== undefined) {
    const superseded = syncRefusal(ErrorCode.REBALANCE_IN_PROGRESS)
    effects.push({ kind: 'sync-answer', token: member.syncToken, answer: superseded })
  }
  member.syncToken = input.token
  noteSynced(group, member)
  if (member.memberId !== group.leaderId) return effects
  return [...effects, ...install(group, input.assignments, nowMs)]
}

/** Logs the assignments, then hands them out to all who wait. */
function install(group: Group, assignments: ReadonlyMap<string, Buffer>, nowMs: number): GroupEffect[] {
  enterState(group, 'Stable', nowMs)
  const effects: GroupEffect[] = [{ kind: 'persist' }]
  for (const member of group.members.values()) {
    member.assignment = assignments.get(member.memberId) ?? noAssignment
    if (member.syncToken === undefined) continue
    renewSession(member, nowMs)
    effects.push({ kind: 'sync-answer', token: member.syncToken, answer: syncAnswer(group, member) })
    member.syncToken = undefined
  }
  return effects
}

function noteSynced(group: Group, member: Member): void {
  group.pendingSyncs.delete(member.memberId)
  if (group.pendingSyncs.size === 0) group.syncDeadlineMs = Number.POSITIVE_INFINITY
}
