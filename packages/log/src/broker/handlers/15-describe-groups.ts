import type { Group, Member } from '../../coordinator/groups/group.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { describeGroups } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

/** Version from which on a missing group is an error; before, it is a dead group without members (KIP-1043). */
const FIRST_NOT_FOUND_VERSION = 6
const allGroupOperations = 0b1_0100_1000
const notAsked = -0x8000_0000
const noMetadata = Buffer.alloc(0)

type Described = ResponseOf<typeof describeGroups>['groups'][number]

/** DescribeGroups: each group on its own; one that this broker does not coordinate is refused. */
export const handleDescribeGroups: Handler<typeof describeGroups> = (context, request, session) => {
  const authorizedOperations = request.includeAuthorizedOperations ? allGroupOperations : notAsked
  const describe = (groupId: string): Described => {
    const nothing = { ...unknownGroup(groupId), authorizedOperations }
    const shard = context.groups.find(groupId)
    if (typeof shard === 'number') return { ...nothing, groupState: '', errorCode: shard }
    const group = shard.groups.get(groupId)
    if (group !== undefined) return { ...nothing, ...knownGroup(group) }
    if (session.apiVersion < FIRST_NOT_FOUND_VERSION) return nothing
    return { ...nothing, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: `group ${groupId} does not exist` }
  }
  return { throttleTimeMs: 0, groups: request.groups.map(describe) }
}

function unknownGroup(groupId: string): Described {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId,
    groupState: 'Dead',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: notAsked
  }
}

function knownGroup(group: Group): Partial<Described> {
  const { state, protocolType, protocolName, members } = group
  // What members bring and get belongs together only once a generation is complete.
  const protocol = state === 'Stable' ? protocolName : null
  return {
    groupState: state,
    protocolType: protocolType ?? '',
    protocolData: protocol ?? '',
    members: [...members.values()].map((member) => knownMember(member, protocol))
  }
}

function knownMember(member: Member, protocol: string | null): Described['members'][number] {
  const { memberId, instanceId: groupInstanceId, clientId, clientHost, protocols, assignment } = member
  const chosen = protocols.find(({ name }) => name === protocol)
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    memberMetadata: chosen?.metadata ?? noMetadata,
    memberAssignment: chosen === undefined ? noMetadata : assignment
  }
}
