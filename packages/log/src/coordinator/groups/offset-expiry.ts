import type { Group } from './group.ts'
import type { CommittedOffset, OffsetKey, OffsetTable } from './offset-table.ts'

/** What retention lets go of one group. */
export interface ExpiredOffsets {
  readonly keys: readonly OffsetKey[]
  /** Whether the group itself goes: it is empty and no offset of it is left. */
  readonly forgetGroup: boolean
}

/**
 * Offsets that `offsets.retention.minutes` lets go: of a group that had members, counted from when it became empty; of offsets committed without
 * a group, from the commit. A group with members keeps all, and what an open transaction may change stays.
 */
export function expiredOffsets(
  groupId: string,
  group: Group | undefined,
  options: { readonly offsets: OffsetTable; readonly nowMs: number; readonly retentionMs: number }
): ExpiredOffsets {
  const { offsets, nowMs, retentionMs } = options
  if (group !== undefined && (group.state !== 'Empty' || group.pendingMembers.size > 0))
    return { keys: [], forgetGroup: false }
  const isExpired = (committed: CommittedOffset): boolean => {
    if (committed.expireTimestampMs !== -1) return committed.expireTimestampMs <= nowMs
    const hadMembers = group !== undefined && group.protocolType !== null
    const sinceMs = hadMembers ? Math.max(group.stateSinceMs, committed.commitTimestampMs) : committed.commitTimestampMs
    return sinceMs + retentionMs <= nowMs
  }
  const keys: OffsetKey[] = []
  let kept = offsets.holdsOf(groupId)
  for (const [key, committed] of offsets.committedOf(groupId)) {
    if (isExpired(committed) && !offsets.isHeld(key)) keys.push(key)
    else kept = true
  }
  return { keys, forgetGroup: !kept && group !== undefined }
}
