import type { ResponseOf } from '../../wire/api.ts'
import { ErrorCode, errorFromCode } from '../../wire/errors.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup } from '../../wire/messages/index.ts'
import type { ClientContext } from '../client-context.ts'
import type { ConsumerConfig } from './consumer-options.ts'

/** The protocol type under which consumers join groups; others (`connect`) share the same requests. */
const PROTOCOL_TYPE = 'consumer'
/** Longer than the broker holds a join, which is as long as the slowest member may take. */
const JOIN_MARGIN_MS = 5_000

/** As whom a request to the group is made. */
export interface GroupMember {
  /** Empty before the coordinator has given one. */
  readonly memberId: string
  readonly generationId: number
}

/** A consumer's options, with a group. */
export type GroupConfig = ConsumerConfig & { readonly groupId: string }

/** One protocol a member can follow, and what it says to the leader. */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/**
 * The requests of a group's member, one attempt each. Those that the coordinator holds go on a connection of their own, so that heartbeats and
 * leaving do not wait behind them.
 * @throws ProtocolError with the response's code, and what the transport throws.
 */
export class GroupRequests {
  readonly #context: ClientContext
  readonly #config: GroupConfig
  readonly #heldLane: string
  readonly #lane: string

  constructor(context: ClientContext, config: GroupConfig) {
    this.#context = context
    this.#config = config
    this.#heldLane = context.newLane('join')
    this.#lane = context.newLane('group')
  }

  /** Held until all members have joined, or their time for it is over. */
  async join(memberId: string, protocol: GroupProtocol): Promise<ResponseOf<typeof joinGroup>> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#config
    const request = {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId,
      groupInstanceId: this.#instanceId,
      protocolType: PROTOCOL_TYPE,
      protocols: [protocol],
      reason: null
    }
    const timeoutMs = rebalanceTimeoutMs + JOIN_MARGIN_MS
    const options = { node: await this.#node(), lane: this.#heldLane, timeoutMs }
    return await this.#context.transport.send(joinGroup, request, options)
  }

  /** Held until the leader has handed in the assignments, which it does by this same request. */
  async sync(
    member: GroupMember,
    protocolName: string,
    assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
  ): Promise<Buffer> {
    const request = {
      groupId: this.#config.groupId,
      ...member,
      groupInstanceId: this.#instanceId,
      protocolType: PROTOCOL_TYPE,
      protocolName,
      assignments
    }
    const timeoutMs = this.#config.rebalanceTimeoutMs + JOIN_MARGIN_MS
    const options = { node: await this.#node(), lane: this.#heldLane, timeoutMs }
    const { errorCode, assignment } = await this.#context.transport.send(syncGroup, request, options)
    if (errorCode !== ErrorCode.NONE) throw errorFromCode(errorCode)
    return assignment
  }

  async heartbeat(member: GroupMember): Promise<void> {
    const request = { groupId: this.#config.groupId, ...member, groupInstanceId: this.#instanceId }
    const options = { node: await this.#node(), lane: this.#lane, timeoutMs: this.#config.sessionTimeoutMs }
    const { errorCode } = await this.#context.transport.send(heartbeat, request, options)
    if (errorCode !== ErrorCode.NONE) throw errorFromCode(errorCode)
  }

  async leave(memberId: string, reason: string): Promise<void> {
    const members = [{ memberId, groupInstanceId: null, reason }]
    const options = { node: await this.#node(), lane: this.#lane, timeoutMs: this.#config.heartbeatIntervalMs }
    await this.#context.transport.send(leaveGroup, { groupId: this.#config.groupId, memberId, members }, options)
  }

  /** Whether asking again may help; forgets the coordinator when the failure says that it moved. */
  isRetriable(error: unknown): boolean {
    return this.#context.coordinators.isRetriable('group', this.#config.groupId, error)
  }

  get #instanceId(): string | null {
    return this.#config.groupInstanceId ?? null
  }

  #node(): Promise<number> {
    return this.#context.coordinators.node('group', this.#config.groupId)
  }
}
