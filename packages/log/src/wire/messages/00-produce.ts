import { defineApi } from '../api.ts'
import { array, int16, int32, int64, records, string, struct, structField } from '../schema.ts'

/**
 * Produce (key 0): appends record batches. Version 12 adds partitions to a transaction implicitly (KIP-890). Versions 0 to 2
 * carried message sets; they are listed for librdkafka's sake, which turns compression off otherwise (KAFKA-18659), and not served.
 */
export const produce = defineApi({
  key: 0,
  name: 'Produce',
  minVersion: 3,
  maxVersion: 12,
  advertisedFrom: 0,
  flexibleFrom: 9,
  request: struct({
    transactionalId: string('3+', { nullable: '3+', default: null }),
    acks: int16('0+'),
    timeoutMs: int32('0+'),
    topicData: array(
      '0+',
      struct({
        name: string('0+'),
        partitionData: array(
          '0+',
          struct({
            index: int32('0+'),
            records: records('0+', { nullable: '0+' })
          })
        )
      })
    )
  }),
  response: struct({
    responses: array(
      '0+',
      struct({
        name: string('0+'),
        partitionResponses: array(
          '0+',
          struct({
            index: int32('0+'),
            errorCode: int16('0+'),
            baseOffset: int64('0+'),
            logAppendTimeMs: int64('2+', { default: -1 }),
            logStartOffset: int64('5+', { default: -1 }),
            recordErrors: array(
              '8+',
              struct({
                batchIndex: int32('8+'),
                batchIndexErrorMessage: string('8+', { nullable: '8+', default: null })
              })
            ),
            errorMessage: string('8+', { nullable: '8+', default: null }),
            currentLeader: structField(
              '10+',
              struct({
                leaderId: int32('10+', { default: -1 }),
                leaderEpoch: int32('10+', { default: -1 })
              }),
              { tag: 0 }
            )
          })
        )
      })
    ),
    throttleTimeMs: int32('1+'),
    nodeEndpoints: array(
      '10+',
      struct({
        nodeId: int32('10+'),
        host: string('10+'),
        port: int32('10+'),
        rack: string('10+', { nullable: '10+', default: null })
      }),
      { tag: 0 }
    )
  })
})
