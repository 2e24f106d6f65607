import { defineApi } from '../api.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/** DeleteRecords (key 21): moves the log start up to an offset; -1 means the high watermark. */
export const deleteRecords = defineApi({
  key: 21,
  name: 'DeleteRecords',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    topics: array(
      '0+',
      struct({
        name: string('0+'),
        partitions: array(
          '0+',
          struct({
            partitionIndex: int32('0+'),
            offset: int64('0+')
          })
        )
      })
    ),
    timeoutMs: int32('0+')
  }),
  response: struct({
    throttleTimeMs: int32('0+'),
    topics: array(
      '0+',
      struct({
        name: string('0+'),
        partitions: array(
          '0+',
          struct({
            partitionIndex: int32('0+'),
            lowWatermark: int64('0+'),
            errorCode: int16('0+')
          })
        )
      })
    )
  })
})
