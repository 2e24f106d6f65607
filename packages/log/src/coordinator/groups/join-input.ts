import type { Group, GroupConfig, GroupProtocol, Member, Token } from './group.ts'

/** A JoinGroup. */
export interface JoinInput {
  readonly token: Token
  /** '' for a client that is not a member. */
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
  /** An id never used before, which the client gets if it becomes a member. */
  readonly freshMemberId: string
  /** The client can be told its id before it joins (KIP-394, version 4 on). */
  readonly knowsMemberIdRequired: boolean
  /** The client understands `skipAssignment` (version 9 on). */
  readonly knowsSkipAssignment: boolean
}

/** What all functions here share. */
export interface JoinContext {
  readonly group: Group
  readonly input: JoinInput
  readonly config: GroupConfig
  readonly nowMs: number
}

/** The member is as its latest JoinGroup says, which the coordinator now holds. */
export function updateMember(member: Member, input: JoinInput): void {
  member.protocols = input.protocols
  member.sessionTimeoutMs = input.sessionTimeoutMs
  member.rebalanceTimeoutMs = input.rebalanceTimeoutMs
  member.clientId = input.clientId
  member.clientHost = input.clientHost
  member.joinToken = input.token
}
