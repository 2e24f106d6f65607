import type { Group, GroupProtocol, Member } from './group.ts'

/** Whether a member with these protocols can be in the group: same type, and one protocol that all others have too. */
export function supportsProtocols(
  group: Group,
  protocolType: string,
  protocols: readonly GroupProtocol[],
  exceptMemberId = ''
): boolean {
  if (protocolType === '' || protocols.length === 0) return false
  const others = [...group.members.values()].filter((member) => member.memberId !== exceptMemberId)
  if (others.length === 0) return group.members.size === 0 || group.protocolType === protocolType
  if (group.protocolType !== protocolType) return false
  const common = commonProtocols(others)
  return protocols.some((protocol) => common.has(protocol.name))
}

/** Names of the protocols that every one of the members supports. */
export function commonProtocols(members: readonly Member[]): ReadonlySet<string> {
  const [first, ...rest] = members
  if (first === undefined) return new Set()
  const common = new Set(first.protocols.map((protocol) => protocol.name))
  for (const member of rest) {
    const names = new Set(member.protocols.map((protocol) => protocol.name))
    for (const name of common) if (!names.has(name)) common.delete(name)
  }
  return common
}

/**
 * The group's protocol: each member votes for the first of its own that all support; most votes win, and of equals the one that the
 * earliest member prefers.
 */
export function selectProtocol(group: Group): string | null {
  const members = [...group.members.values()]
  const common = commonProtocols(members)
  const votes = new Map<string, number>()
  for (const member of members) {
    const vote = member.protocols.find((protocol) => common.has(protocol.name))?.name
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  let winner: string | null = null
  for (const [name, count] of votes) {
    if (winner === null || count > (votes.get(winner) ?? 0)) winner = name
  }
  return winner
}

/** Whether the member offers exactly these protocols already. */
export function sameProtocols(member: Member, protocols: readonly GroupProtocol[]): boolean {
  if (member.protocols.length !== protocols.length) return false
  return member.protocols.every(
    (own, index) => own.name === protocols[index].name && own.metadata.equals(protocols[index].metadata)
  )
}
