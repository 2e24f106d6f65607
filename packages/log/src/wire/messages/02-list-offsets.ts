import { defineApi } from '../api.ts'
import { array, int8, int16, int32, int64, string, struct } from '../schema.ts'

/** ListOffsets (key 2): the offset for a timestamp; -1 asks for the end, -2 for the start, -3 for the greatest timestamp. */
export const listOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  minVersion: 1,
  maxVersion: 10,
  flexibleFrom: 6,
  request: struct({
    replicaId: int32('0+'),
    isolationLevel: int8('2+'),
    topics: array(
      '0+',
      struct({
        name: string('0+'),
        partitions: array(
          '0+',
          struct({
            partitionIndex: int32('0+'),
            currentLeaderEpoch: int32('4+', { default: -1 }),
            timestamp: int64('0+')
          })
        )
      })
    ),
    timeoutMs: int32('10+')
  }),
  response: struct({
    throttleTimeMs: int32('2+'),
    topics: array(
      '0+',
      struct({
        name: string('0+'),
        partitions: array(
          '0+',
          struct({
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
            timestamp: int64('1+', { default: -1 }),
            offset: int64('1+', { default: -1 }),
            leaderEpoch: int32('4+', { default: -1 })
          })
        )
      })
    )
  })
})
