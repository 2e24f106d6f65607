import { ErrorCode } from '../../wire/errors.ts'
import type { Group, Member } from './group.ts'

/** Who a request says it is from. */
export interface MemberIdentity {
  readonly memberId: string
  readonly instanceId: string | null
}

/** The member of a request, or the error to answer: UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID when its place was taken over. */
export function findMember(group: Group | undefined, identity: MemberIdentity): Member | number {
  if (group === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  if (identity.instanceId !== null) {
    const owner = group.staticMembers.get(identity.instanceId)
    if (owner === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (owner !== identity.memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return group.members.get(identity.memberId) ?? ErrorCode.UNKNOWN_MEMBER_ID
}

/** The same, and the member must be of the group's current generation (else ILLEGAL_GENERATION). */
export function findMemberOf(group: Group | undefined, identity: MemberIdentity, generation: number): Member | number {
  const member = findMember(group, identity)
  if (typeof member === 'number' || group === undefined) return member
  return generation === group.generation ? member : ErrorCode.ILLEGAL_GENERATION
}
