import type { Environment } from '../environment/environment.ts'
import type { Transport } from '../transport/transport.ts'
import { ErrorCode, errorFromCode, ProtocolError } from '../wire/errors.ts'
import { findCoordinator } from '../wire/messages/index.ts'
import { type BackoffBounds, retry } from './backoff.ts'
import { isRetriableFailure, isTransportFailure } from './request-failure.ts'

/** What is coordinated: a group, or the transactions of a transactional id. */
export type CoordinatorKind = 'group' | 'transaction'

const keyTypes = { group: 0, transaction: 1 } as const
const firstBatchedVersion = 4

/** Which broker coordinates a group or a transactional id. Looked up on first use, and again after an answer proves it stale. */
export class CoordinatorDirectory {
  readonly #transport: Transport
  readonly #environment: Environment
  readonly #nodes = new Map<string, number>()

  constructor(transport: Transport, environment: Environment) {
    this.#transport = transport
    this.#environment = environment
  }

  /** Broker id of the coordinator. @throws ProtocolError and what the transport throws; one attempt. */
  async node(kind: CoordinatorKind, key: string): Promise<number> {
    const known = this.#nodes.get(`${kind} ${key}`)
    if (known !== undefined) return known
    const node = await this.#lookUp(kind, key)
    this.#nodes.set(`${kind} ${key}`, node)
    return node
  }

  forget(kind: CoordinatorKind, key: string): void {
    this.#nodes.delete(`${kind} ${key}`)
  }

  /** Whether asking again may help; forgets the coordinator when the failure says that it moved or cannot be reached. */
  isRetriable(kind: CoordinatorKind, key: string, error: unknown): boolean {
    if (isTransportFailure(error) || movedAway(error)) this.forget(kind, key)
    return isRetriableFailure(error)
  }

  /** Runs `request` against the coordinator until it succeeds, fails for good, or `timeoutMs` is over. */
  call<T>(request: CoordinatorRequest<T>): Promise<T> {
    const { kind, key, what, timeoutMs, backoff } = request
    const retriable = (error: unknown) => this.isRetriable(kind, key, error)
    const policy = { what, timeoutMs, retriable, ...(backoff === undefined ? {} : { backoff }) }
    return retry(this.#environment, policy, async () => request.send(await this.node(kind, key)))
  }

  async #lookUp(kind: CoordinatorKind, key: string): Promise<number> {
    const keyType = keyTypes[kind]
    const batched = (await this.#transport.version(findCoordinator)) >= firstBatchedVersion
    const response = await this.#transport.send(findCoordinator, {
      key: batched ? '' : key,
      keyType,
      coordinatorKeys: batched ? [key] : []
    })
    const found = batched ? response.coordinators[0] : response
    if (found === undefined) throw new ProtocolError('COORDINATOR_NOT_AVAILABLE')
    if (found.errorCode === ErrorCode.NONE) return found.nodeId
    throw errorFromCode(found.errorCode, {
      message: `no coordinator for ${kind} '${key}': ${found.errorMessage ?? ''}`
    })
  }
}

/** A request to a coordinator, repeated as long as that may help. */
export interface CoordinatorRequest<T> {
  readonly kind: CoordinatorKind
  readonly key: string
  /** What a timeout's message says was attempted. */
  readonly what: string
  readonly timeoutMs: number
  readonly backoff?: BackoffBounds
  send(node: number): Promise<T>
}

function movedAway(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return false
  return error.errorName === 'NOT_COORDINATOR' || error.errorName === 'COORDINATOR_NOT_AVAILABLE'
}
