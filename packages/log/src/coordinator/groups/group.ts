/**
 * One group of the classic protocol, as plain data. The functions of this folder (`join`, `sync`, `heartbeat`, `leave`, `wake`) take it with
 * an input and the time, change it, and return what is to be done; they read no clock and do no I/O. The state given to them is
 * theirs: its owner keeps it in one place and passes it to one of them at a time.
 */
export interface Group {
  readonly groupId: string
  state: GroupState
  /** When the state was entered, milliseconds since the epoch; offsets of an empty group expire from then on. */
  stateSinceMs: number
  /** `consumer`, `connect` ...; null before the first member. */
  protocolType: string | null
  /** The protocol (assignor) that this generation uses; null when the group is empty. */
  protocolName: string | null
  generation: number
  leaderId: string | null
  readonly members: Map<string, Member>
  /** Member ids of static members, by instance id. */
  readonly staticMembers: Map<string, string>
  /** Ids handed out by MEMBER_ID_REQUIRED and not yet used, with the time at which they lapse. */
  readonly pendingMembers: Map<string, number>
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSyncs: Set<string>
  /** While preparing: when waiting for members ends. Infinity otherwise. */
  rebalanceDeadlineMs: number
  /** While a new group gathers members: how long it may still be extended. Undefined otherwise. */
  gathering: Gathering | undefined
  /** When members that have not asked for their assignment are removed. Infinity when all have. */
  syncDeadlineMs: number
}

/** Kafka's states. A dead group is one that its coordinator has forgotten. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** The initial delay of a new group. */
export interface Gathering {
  remainingMs: number
  memberArrived: boolean
}

/** One member. */
export interface Member {
  memberId: string
  readonly instanceId: string | null
  clientId: string
  /** Address of its host, or `in-process`. */
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** In order of preference. */
  protocols: readonly GroupProtocol[]
  assignment: Buffer
  /** Whether it has not yet been part of a generation. */
  isNew: boolean
  /** It is removed then, unless the coordinator holds a request of its. */
  sessionDeadlineMs: number
  /** The JoinGroup that the coordinator holds. */
  joinToken: Token | undefined
  /** The SyncGroup that the coordinator holds. */
  syncToken: Token | undefined
}

/** A protocol that a member supports, and its metadata for it: bytes that only members read. */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** Names a held request; what it stands for is the owner's matter. */
export type Token = number

/** Answer to JoinGroup. */
export interface JoinAnswer {
  readonly errorCode: number
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  readonly memberId: string
  /** With the leader's answer: who takes part; empty for the others. */
  readonly members: readonly JoinedMember[]
  /** The leader has nothing to assign: it came back with its old assignment still valid. */
  readonly skipAssignment: boolean
}

/** One participant, told to the leader. */
export interface JoinedMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly metadata: Buffer
}

/** Answer to SyncGroup. */
export interface SyncAnswer {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** What is to be done, in order. An answer that stands behind a `persist` waits until the record is durable. */
export type GroupEffect =
  | { readonly kind: 'join-answer'; readonly token: Token; readonly answer: JoinAnswer }
  | { readonly kind: 'sync-answer'; readonly token: Token; readonly answer: SyncAnswer }
  /** Log the group's metadata as it is now. */
  | { readonly kind: 'persist' }

/** Limits and delays; the names and defaults are those of the broker's configuration. */
export interface GroupConfig {
  readonly groupInitialRebalanceDelayMs: number
  readonly groupMinSessionTimeoutMs: number
  readonly groupMaxSessionTimeoutMs: number
  readonly groupMaxSize: number
}

/** Milliseconds that a member may take from its first JoinGroup to the answer's heartbeat, as Kafka has it. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000

const nothing = Buffer.alloc(0)

/** A group without members. */
export function emptyGroup(groupId: string, nowMs: number): Group {
  return {
    groupId,
    state: 'Empty',
    stateSinceMs: nowMs,
    protocolType: null,
    protocolName: null,
    generation: 0,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingMembers: new Map(),
    pendingSyncs: new Set(),
    rebalanceDeadlineMs: Number.POSITIVE_INFINITY,
    gathering: undefined,
    syncDeadlineMs: Number.POSITIVE_INFINITY
  }
}

/** Enters a state. */
export function enterState(group: Group, state: GroupState, nowMs: number): void {
  group.state = state
  group.stateSinceMs = nowMs
}

/** Refuses a JoinGroup. */
export function joinRefusal(errorCode: number, memberId: string): JoinAnswer {
  return {
    errorCode,
    generation: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    memberId,
    members: [],
    skipAssignment: false
  }
}

/** Refuses a SyncGroup. */
export function syncRefusal(errorCode: number): SyncAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: nothing }
}

/** The assignment that the member has now. */
export function syncAnswer(group: Group, member: Member): SyncAnswer {
  return {
    errorCode: 0,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment: member.assignment
  }
}

/** The member's metadata for the group's protocol. */
export function metadataFor(member: Member, protocolName: string | null): Buffer {
  return member.protocols.find((protocol) => protocol.name === protocolName)?.metadata ?? nothing
}

/** The answer that makes the member part of the current generation. */
export function joinAnswer(group: Group, member: Member): JoinAnswer {
  const leads = member.memberId === group.leaderId
  return {
    errorCode: 0,
    generation: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leaderId: group.leaderId ?? '',
    memberId: member.memberId,
    members: leads ? participants(group) : [],
    skipAssignment: false
  }
}

/** Everyone in the group, as its leader is told. */
export function participants(group: Group): JoinedMember[] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    metadata: metadataFor(member, group.protocolName)
  }))
}

/** The member lives for another session from now. */
export function renewSession(member: Member, nowMs: number): void {
  member.sessionDeadlineMs = nowMs + (member.isNew ? NEW_MEMBER_JOIN_TIMEOUT_MS : member.sessionTimeoutMs)
}

/** Whether the coordinator holds a request of the member, which shows that it lives. */
export function isWaiting(member: Member): boolean {
  return (member.joinToken !== undefined && !member.isNew) || member.syncToken !== undefined
}
