import type { Environment } from '../environment/environment.ts'
import type { Transport } from '../transport/transport.ts'
import { ClusterMetadata } from './cluster-metadata.ts'
import { CoordinatorDirectory } from './coordinator-directory.ts'

/** What all clients of one log share: the way to the brokers, and what is known of them. */
export interface ClientContext {
  readonly transport: Transport
  readonly environment: Environment
  readonly metadata: ClusterMetadata
  readonly coordinators: CoordinatorDirectory
  /**
   * A name for connections that no other client of this log uses: a request that a broker holds must not hold up somebody else's (two
   * members of one group on one connection would wait for each other forever).
   */
  newLane(kind: string): string
}

/** Makes the context that the producers, consumers and admins of one log share. */
export function createClientContext(transport: Transport, environment: Environment): ClientContext {
  const metadata = new ClusterMetadata(transport, environment)
  const coordinators = new CoordinatorDirectory(transport, environment)
  let lanes = 0
  return { transport, environment, metadata, coordinators, newLane: (kind) => `${kind}-${++lanes}` }
}
