import { ErrorCode, errorFromCode } from '../../wire/errors.ts'
import { describeGroups } from '../../wire/messages/index.ts'
import type { ClientContext } from '../client-context.ts'

/** A group as its coordinator sees it. */
export interface GroupDescription {
  readonly groupId: string
  /** `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`; `Dead` when there is no such group. */
  readonly state: string
  readonly members: readonly GroupMember[]
}

/** One member of a {@link GroupDescription}. */
export interface GroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  /** Address of its host, or `in-process`. */
  readonly clientHost: string
}

/** Asks the group's coordinator, until `timeoutMs` is over. @throws ClientTimeoutError, ProtocolError */
export function describeGroup(context: ClientContext, groupId: string, timeoutMs: number): Promise<GroupDescription> {
  return context.coordinators.call({
    kind: 'group',
    key: groupId,
    what: `describing group '${groupId}'`,
    timeoutMs,
    send: async (node) => {
      const request = { groups: [groupId], includeAuthorizedOperations: false }
      const { groups } = await context.transport.send(describeGroups, request, { node })
      const [group] = groups
      if (group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return { groupId, state: 'Dead', members: [] }
      if (group.errorCode !== ErrorCode.NONE) throw errorFromCode(group.errorCode)
      const members = group.members.map(({ memberId, groupInstanceId, clientId, clientHost }) => ({
        memberId,
        instanceId: groupInstanceId,
        clientId,
        clientHost
      }))
      return { groupId, state: group.groupState, members }
    }
  })
}
