import { ErrorCode } from '../../wire/errors.ts'
import type { describeCluster } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

const brokers = 1
const controllers = 2
const allClusterOperations = 0b1_1111_1010_0000
const notAsked = -0x8000_0000

/** DescribeCluster (KIP-700). A broker answers for brokers; who asks it for controllers is at the wrong endpoint (KIP-919). */
export const handleDescribeCluster: Handler<typeof describeCluster> = (context, request) => {
  const legal = request.endpointType === brokers
  const refusal = request.endpointType === controllers ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE'
  return {
    throttleTimeMs: 0,
    errorCode: legal ? ErrorCode.NONE : ErrorCode[refusal],
    errorMessage: legal ? null : 'this endpoint is a broker: ask for endpoint type 1',
    endpointType: brokers,
    clusterId: context.clusterId,
    controllerId: context.brokerId,
    brokers: legal
      ? [{ brokerId: context.brokerId, host: context.advertised.host, port: context.advertised.port, rack: null }]
      : [],
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? allClusterOperations : notAsked
  }
}
