import { defineApi } from '../api.ts'
import { array, boolean, int8, int16, int32, string, struct } from '../schema.ts'

/** DescribeCluster (key 60): cluster id, controller and brokers. */
export const describeCluster = defineApi({
  key: 60,
  name: 'DescribeCluster',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  request: struct({
    includeClusterAuthorizedOperations: boolean('0+'),
    endpointType: int8('1+', { default: 1 })
  }),
  response: struct({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    endpointType: int8('1+', { default: 1 }),
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1 }),
    brokers: array(
      '0+',
      struct({
        brokerId: int32('0+'),
        host: string('0+'),
        port: int32('0+'),
        rack: string('0+', { nullable: '0+', default: null })
      })
    ),
    clusterAuthorizedOperations: int32('0+', { default: -0x8000_0000 })
  })
})
