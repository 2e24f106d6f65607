import { defineApi } from '../api.ts'
import { array, boolean, int16, int32, int64, string, struct } from '../schema.ts'

const topic = struct({
  name: string('0+'),
  partitions: array('0+', int32())
})

const topicResult = struct({
  name: string('0+'),
  resultsByPartition: array(
    '0+',
    struct({
      partitionIndex: int32('0+'),
      partitionErrorCode: int16('0+')
    })
  )
})

/**
 * AddPartitionsToTxn (key 24): adds partitions to a transaction of the older protocol. The batched form of versions 4 and 5 is
 * spoken among brokers only, so it is declared but not offered.
 */
export const addPartitionsToTxn = defineApi({
  key: 24,
  name: 'AddPartitionsToTxn',
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 3,
  request: struct({
    transactions: array(
      '4+',
      struct({
        transactionalId: string('4+'),
        producerId: int64('4+'),
        producerEpoch: int16('4+'),
        verifyOnly: boolean('4+'),
        topics: array('4+', topic)
      })
    ),
    v3AndBelowTransactionalId: string('0-3'),
    v3AndBelowProducerId: int64('0-3'),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: array('0-3', topic)
  }),
  response: struct({
    throttleTimeMs: int32('0+'),
    errorCode: int16('4+'),
    resultsByTransaction: array(
      '4+',
      struct({
        transactionalId: string('4+'),
        topicResults: array('4+', topicResult)
      })
    ),
    resultsByTopicV3AndBelow: array('0-3', topicResult)
  })
})
