import { type Group, type GroupConfig, type GroupEffect, isWaiting, type Member, renewSession } from './group.ts'
import { removeMembers } from './leave.ts'
import { completeIfAllJoined, endOfWaiting } from './rebalance.ts'

/** When `wake` should run next, milliseconds since the epoch; Infinity when nothing is due. */
export function nextWakeMs(group: Group): number {
  let soonestMs = Math.min(group.rebalanceDeadlineMs, group.syncDeadlineMs)
  for (const lapsesMs of group.pendingMembers.values()) soonestMs = Math.min(soonestMs, lapsesMs)
  for (const member of group.members.values()) soonestMs = Math.min(soonestMs, member.sessionDeadlineMs)
  return soonestMs
}

/**
 * Does what is due at `nowMs`: sessions end, handed-out ids lapse, members that never asked for their assignment are removed, and the
 * time to wait for a rebalance's members ends.
 */
export function wake(group: Group, options: { config: GroupConfig; nowMs: number }): GroupEffect[] {
  const { config, nowMs } = options
  for (const member of group.members.values()) if (isWaiting(member)) extend(member, nowMs)
  const lapsed = lapsePendingMembers(group, nowMs) ? completeIfAllJoined(group, nowMs) : []
  const ended = removeMembers(group, (member) => member.sessionDeadlineMs <= nowMs, options)
  const unsynced = group.syncDeadlineMs <= nowMs ? removeUnsynced(group, options) : []
  const waited = group.rebalanceDeadlineMs <= nowMs ? endOfWaiting(group, config, nowMs) : []
  return [...lapsed, ...ended, ...unsynced, ...waited]
}

/** A held request shows that the member lives; its session begins when the answer goes out. */
function extend(member: Member, nowMs: number): void {
  if (member.sessionDeadlineMs <= nowMs) renewSession(member, nowMs)
}

function lapsePendingMembers(group: Group, nowMs: number): boolean {
  let any = false
  for (const [memberId, lapsesMs] of group.pendingMembers) {
    if (lapsesMs > nowMs) continue
    group.pendingMembers.delete(memberId)
    any = true
  }
  return any
}

function removeUnsynced(group: Group, options: { config: GroupConfig; nowMs: number }): GroupEffect[] {
  const unsynced = new Set(group.pendingSyncs)
  group.pendingSyncs.clear()
  group.syncDeadlineMs = Number.POSITIVE_INFINITY
  return removeMembers(group, (member) => unsynced.has(member.memberId), options)
}
