import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import { withDefaults } from '../wire/codec.ts'
import { ErrorCode, protocolError } from '../wire/errors.ts'
import * as messages from '../wire/messages/index.ts'
import { inVersions } from '../wire/versions.ts'
import { failureOf } from './failure.ts'
import type { BrokerContext, Handler, RequestSession } from './handler.ts'
import { handleProduce } from './handlers/00-produce.ts'
import { handleFetch } from './handlers/01-fetch.ts'
import { handleListOffsets } from './handlers/02-list-offsets.ts'
import { handleMetadata } from './handlers/03-metadata.ts'
import { handleOffsetCommit } from './handlers/08-offset-commit.ts'
import { handleOffsetFetch } from './handlers/09-offset-fetch.ts'
import { handleFindCoordinator } from './handlers/10-find-coordinator.ts'
import { handleJoinGroup } from './handlers/11-join-group.ts'
import { handleHeartbeat } from './handlers/12-heartbeat.ts'
import { handleLeaveGroup } from './handlers/13-leave-group.ts'
import { handleSyncGroup } from './handlers/14-sync-group.ts'
import { handleDescribeGroups } from './handlers/15-describe-groups.ts'
import { handleApiVersions } from './handlers/18-api-versions.ts'
import { handleCreateTopics } from './handlers/19-create-topics.ts'
import { handleDeleteTopics } from './handlers/20-delete-topics.ts'
import { handleDeleteRecords } from './handlers/21-delete-records.ts'
import { handleInitProducerId } from './handlers/22-init-producer-id.ts'
import { handleOffsetForLeaderEpoch } from './handlers/23-offset-for-leader-epoch.ts'
import { handleAddPartitionsToTxn } from './handlers/24-add-partitions-to-txn.ts'
import { handleAddOffsetsToTxn } from './handlers/25-add-offsets-to-txn.ts'
import { handleEndTxn } from './handlers/26-end-txn.ts'
import { handleWriteTxnMarkers } from './handlers/27-write-txn-markers.ts'
import { handleTxnOffsetCommit } from './handlers/28-txn-offset-commit.ts'
import { handleDescribeConfigs } from './handlers/32-describe-configs.ts'
import { handleDescribeCluster } from './handlers/60-describe-cluster.ts'

/** A handler whose message types are no longer known: `route` saw that they fit. */
type AnyHandler = Handler<Api>

const handlers: ReadonlyMap<number, AnyHandler> = new Map([
  route(messages.produce, handleProduce),
  route(messages.fetch, handleFetch),
  route(messages.listOffsets, handleListOffsets),
  route(messages.metadata, handleMetadata),
  route(messages.offsetCommit, handleOffsetCommit),
  route(messages.offsetFetch, handleOffsetFetch),
  route(messages.findCoordinator, handleFindCoordinator),
  route(messages.joinGroup, handleJoinGroup),
  route(messages.heartbeat, handleHeartbeat),
  route(messages.leaveGroup, handleLeaveGroup),
  route(messages.syncGroup, handleSyncGroup),
  route(messages.describeGroups, handleDescribeGroups),
  route(messages.apiVersions, handleApiVersions),
  route(messages.createTopics, handleCreateTopics),
  route(messages.deleteTopics, handleDeleteTopics),
  route(messages.deleteRecords, handleDeleteRecords),
  route(messages.initProducerId, handleInitProducerId),
  route(messages.offsetForLeaderEpoch, handleOffsetForLeaderEpoch),
  route(messages.addPartitionsToTxn, handleAddPartitionsToTxn),
  route(messages.addOffsetsToTxn, handleAddOffsetsToTxn),
  route(messages.endTxn, handleEndTxn),
  route(messages.writeTxnMarkers, handleWriteTxnMarkers),
  route(messages.txnOffsetCommit, handleTxnOffsetCommit),
  route(messages.describeConfigs, handleDescribeConfigs),
  route(messages.describeCluster, handleDescribeCluster)
])

function route<A extends Api>(api: A, handler: Handler<A>): [number, AnyHandler] {
  return [api.key, handler as unknown as AnyHandler]
}

/** Whether there is a handler for the API. */
export function isServed(api: Api): boolean {
  return handlers.has(api.key)
}

/**
 * Answers one request. An error that a handler did not put into its response becomes the response's own error code.
 * @throws whatever the handler threw, when the response has no such field or no code stands for the error: a connection should be closed then
 */
export async function dispatch<A extends Api>(
  context: BrokerContext,
  message: { readonly api: A; readonly request: RequestOf<A> },
  session: RequestSession
): Promise<ResponseOf<A>> {
  const { api, request } = message
  const handler = handlers.get(api.key)
  if (handler === undefined) throw protocolError('UNSUPPORTED_VERSION', { message: `${api.name} is not served` })
  try {
    return (await handler(context, request, session)) as ResponseOf<A>
  } catch (error) {
    const response = errorResponse(
      api,
      session.apiVersion,
      failureOf(error)?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    )
    if (response === undefined) throw error
    context.report({ kind: 'request-failed', api: api.name, error })
    return response as ResponseOf<A>
  }
}

/** A response that holds nothing but the error, where the version asked for has a place for it. */
function errorResponse(api: Api, apiVersion: number, errorCode: number): unknown {
  const field = api.response.fields.errorCode
  if (field === undefined || !inVersions(field.versions, apiVersion)) return undefined
  return withDefaults(api.response, { errorCode })
}
