import { defineApi } from '../api.ts'
import { array, boolean, int16, int32, string, struct, uuid } from '../schema.ts'

/** Value of the authorized-operations fields when nobody asked for them. */
const NOT_ASKED = -0x8000_0000

/** Metadata (key 3): brokers, topics, partitions and their leaders. Null topics ask for all. */
export const metadata = defineApi({
  key: 3,
  name: 'Metadata',
  minVersion: 0,
  maxVersion: 13,
  flexibleFrom: 9,
  request: struct({
    topics: array(
      '0+',
      struct({
        topicId: uuid('10+'),
        name: string('0+', { nullable: '10+' })
      }),
      { nullable: '1+' }
    ),
    allowAutoTopicCreation: boolean('4+', { default: true }),
    includeClusterAuthorizedOperations: boolean('8-10'),
    includeTopicAuthorizedOperations: boolean('8+')
  }),
  response: struct({
    throttleTimeMs: int32('3+'),
    brokers: array(
      '0+',
      struct({
        nodeId: int32('0+'),
        host: string('0+'),
        port: int32('0+'),
        rack: string('1+', { nullable: '1+', default: null })
      })
    ),
    clusterId: string('2+', { nullable: '2+', default: null }),
    controllerId: int32('1+', { default: -1 }),
    topics: array(
      '0+',
      struct({
        errorCode: int16('0+'),
        name: string('0+', { nullable: '12+' }),
        topicId: uuid('10+'),
        isInternal: boolean('1+'),
        partitions: array(
          '0+',
          struct({
            errorCode: int16('0+'),
            partitionIndex: int32('0+'),
            leaderId: int32('0+'),
            leaderEpoch: int32('7+', { default: -1 }),
            replicaNodes: array('0+', int32()),
            isrNodes: array('0+', int32()),
            offlineReplicas: array('5+', int32())
          })
        ),
        topicAuthorizedOperations: int32('8+', { default: NOT_ASKED })
      })
    ),
    clusterAuthorizedOperations: int32('8-10', { default: NOT_ASKED }),
    errorCode: int16('13+')
  })
})
