import type { GroupMetadata } from '../offset-records.ts'
import { emptyGroup, type Group, type Member, metadataFor, renewSession } from './group.ts'

/** What is logged of a group: its generation and, once assigned, its members with their assignments. */
export function groupMetadata(group: Group): GroupMetadata {
  return {
    protocolType: group.protocolType ?? '',
    generation: group.generation,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateSinceMs,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataFor(member, group.protocolName),
      assignment: member.assignment
    }))
  }
}

/** The group as it was logged; its members' sessions begin anew, since nobody knows how long ago they were heard of. */
export function restoreGroup(groupId: string, metadata: GroupMetadata, nowMs: number): Group {
  const group = emptyGroup(groupId, metadata.currentStateTimestamp === -1 ? nowMs : metadata.currentStateTimestamp)
  group.generation = metadata.generation
  group.protocolType = metadata.protocolType === '' ? null : metadata.protocolType
  group.protocolName = metadata.protocol
  group.leaderId = metadata.leader
  group.state = metadata.members.length === 0 ? 'Empty' : 'Stable'
  for (const logged of metadata.members) {
    const member: Member = {
      memberId: logged.memberId,
      instanceId: logged.groupInstanceId,
      clientId: logged.clientId,
      clientHost: logged.clientHost,
      sessionTimeoutMs: logged.sessionTimeout,
      // Version 0 had no rebalance timeout; the session's stood for it.
      rebalanceTimeoutMs: logged.rebalanceTimeout === 0 ? logged.sessionTimeout : logged.rebalanceTimeout,
      protocols:
        metadata.protocol === null ? [] : [{ name: metadata.protocol, metadata: Buffer.from(logged.subscription) }],
      assignment: Buffer.from(logged.assignment),
      isNew: false,
      sessionDeadlineMs: 0,
      joinToken: undefined,
      syncToken: undefined
    }
    renewSession(member, nowMs)
    group.members.set(member.memberId, member)
    if (member.instanceId !== null) group.staticMembers.set(member.instanceId, member.memberId)
  }
  return group
}
