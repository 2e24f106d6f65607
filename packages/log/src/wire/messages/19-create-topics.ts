import { defineApi } from '../api.ts'
import { array, boolean, int8, int16, int32, string, struct, uuid } from '../schema.ts'

/** CreateTopics (key 19). -1 partitions or replicas ask for the broker's default. */
export const createTopics = defineApi({
  key: 19,
  name: 'CreateTopics',
  minVersion: 2,
  maxVersion: 7,
  flexibleFrom: 5,
  request: struct({
    topics: array(
      '0+',
      struct({
        name: string('0+'),
        numPartitions: int32('0+'),
        replicationFactor: int16('0+'),
        assignments: array(
          '0+',
          struct({
            partitionIndex: int32('0+'),
            brokerIds: array('0+', int32())
          })
        ),
        configs: array(
          '0+',
          struct({
            name: string('0+'),
            value: string('0+', { nullable: '0+' })
          })
        )
      })
    ),
    timeoutMs: int32('0+', { default: 60_000 }),
    validateOnly: boolean('1+')
  }),
  response: struct({
    throttleTimeMs: int32('2+'),
    topics: array(
      '0+',
      struct({
        name: string('0+'),
        topicId: uuid('7+'),
        errorCode: int16('0+'),
        errorMessage: string('1+', { nullable: '0+' }),
        topicConfigErrorCode: int16('5+', { tag: 0 }),
        numPartitions: int32('5+', { default: -1 }),
        replicationFactor: int16('5+', { default: -1 }),
        configs: array(
          '5+',
          struct({
            name: string('5+'),
            value: string('5+', { nullable: '5+' }),
            readOnly: boolean('5+'),
            configSource: int8('5+', { default: -1 }),
            isSensitive: boolean('5+')
          }),
          { nullable: '5+' }
        )
      })
    )
  })
})
