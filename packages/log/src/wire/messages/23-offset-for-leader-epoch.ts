import { defineApi } from '../api.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/** OffsetForLeaderEpoch (key 23): where an epoch ended, to find a divergence (KIP-101, KIP-320). */
export const offsetForLeaderEpoch = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  minVersion: 2,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    replicaId: int32('3+', { default: -2 }),
    topics: array(
      '0+',
      struct({
        topic: string('0+'),
        partitions: array(
          '0+',
          struct({
            partition: int32('0+'),
            currentLeaderEpoch: int32('2+', { default: -1 }),
            leaderEpoch: int32('0+')
          })
        )
      })
    )
  }),
  response: struct({
    throttleTimeMs: int32('2+'),
    topics: array(
      '0+',
      struct({
        topic: string('0+'),
        partitions: array(
          '0+',
          struct({
            errorCode: int16('0+'),
            partition: int32('0+'),
            leaderEpoch: int32('1+', { default: -1 }),
            endOffset: int64('0+', { default: -1 })
          })
        )
      })
    )
  })
})
