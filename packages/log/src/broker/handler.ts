import type { Environment } from '../environment/environment.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { GroupHost } from './coordination/group-host.ts'
import type { PartitionDirectory } from './coordination/partition-directory.ts'
import type { TransactionHost } from './coordination/transaction-host.ts'
import type { DelayedFetches } from './delayed-fetch.ts'
import type { OnBrokerEvent } from './event.ts'
import type { TopicRegistry } from './topic-registry.ts'

/**
 * Answers one request. A handler reports what went wrong in the response's error codes; a `ProtocolError` that it throws is
 * turned into the response's error code by `dispatch.ts`.
 */
export type Handler<A extends Api> = (
  context: BrokerContext,
  request: RequestOf<A>,
  session: RequestSession
) => Promise<ResponseOf<A>> | ResponseOf<A>

/** Who asks, and in which version of the message. */
export interface RequestSession {
  readonly clientId: string
  /** Address of the client's host, or `in-process`. */
  readonly clientHost: string
  readonly apiVersion: number
  /** Whether the client lives in the broker's process, and so ends with it. */
  readonly inProcess: boolean
}

/** All that a handler may touch. */
export interface BrokerContext {
  readonly environment: Environment
  readonly config: BrokerConfig
  /** Base64url uuid of the cluster. */
  readonly clusterId: string
  readonly brokerId: number
  /** Address that clients are told to connect to. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** Topics, their ids and configurations; creates and deletes them. */
  readonly topics: TopicRegistry
  /** Partitions led by this broker. */
  readonly partitions: PartitionDirectory
  readonly groups: GroupHost
  readonly transactions: TransactionHost
  readonly delayedFetches: DelayedFetches
  readonly report: OnBrokerEvent
}
