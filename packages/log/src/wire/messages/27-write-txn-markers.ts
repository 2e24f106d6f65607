import { defineApi } from '../api.ts'
import { array, boolean, int16, int32, int64, string, struct } from '../schema.ts'

/** WriteTxnMarkers (key 27): the transaction coordinator has partition leaders write the end of a transaction. */
export const writeTxnMarkers = defineApi({
  key: 27,
  name: 'WriteTxnMarkers',
  minVersion: 1,
  maxVersion: 1,
  flexibleFrom: 1,
  request: struct({
    markers: array(
      '0+',
      struct({
        producerId: int64('0+'),
        producerEpoch: int16('0+'),
        transactionResult: boolean('0+'),
        topics: array(
          '0+',
          struct({
            name: string('0+'),
            partitionIndexes: array('0+', int32())
          })
        ),
        coordinatorEpoch: int32('0+')
      })
    )
  }),
  response: struct({
    markers: array(
      '0+',
      struct({
        producerId: int64('0+'),
        topics: array(
          '0+',
          struct({
            name: string('0+'),
            partitions: array(
              '0+',
              struct({
                partitionIndex: int32('0+'),
                errorCode: int16('0+')
              })
            )
          })
        )
      })
    )
  })
})
