import { defineApi } from '../api.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/** OffsetCommit (key 8): stores a group's positions. */
export const offsetCommit = defineApi({
  key: 8,
  name: 'OffsetCommit',
  minVersion: 2,
  maxVersion: 9,
  flexibleFrom: 8,
  request: struct({
    groupId: string('0+'),
    generationIdOrMemberEpoch: int32('1+', { default: -1 }),
    memberId: string('1+'),
    groupInstanceId: string('7+', { nullable: '7+', default: null }),
    retentionTimeMs: int64('2-4', { default: -1 }),
    topics: array(
      '0+',
      struct({
        name: string('0+'),
        partitions: array(
          '0+',
          struct({
            partitionIndex: int32('0+'),
            committedOffset: int64('0+'),
            committedLeaderEpoch: int32('6+', { default: -1 }),
            committedMetadata: string('0+', { nullable: '0+' })
          })
        )
      })
    )
  }),
  response: struct({
    throttleTimeMs: int32('3+'),
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
})
