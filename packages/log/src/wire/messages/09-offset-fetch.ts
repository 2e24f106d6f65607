import { defineApi } from '../api.ts'
import { array, boolean, int16, int32, int64, string, struct } from '../schema.ts'

/** OffsetFetch (key 9): a group's positions; of several groups from version 8 on. Null topics ask for all. */
export const offsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  minVersion: 1,
  maxVersion: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: string('0-7'),
    topics: array(
      '0-7',
      struct({
        name: string('0-7'),
        partitionIndexes: array('0-7', int32())
      }),
      { nullable: '2-7' }
    ),
    groups: array(
      '8+',
      struct({
        groupId: string('8+'),
        memberId: string('9+', { nullable: '9+', default: null }),
        memberEpoch: int32('9+', { default: -1 }),
        topics: array(
          '8+',
          struct({
            name: string('8+'),
            partitionIndexes: array('8+', int32())
          }),
          { nullable: '8+' }
        )
      })
    ),
    requireStable: boolean('7+')
  }),
  response: struct({
    throttleTimeMs: int32('3+'),
    topics: array(
      '0-7',
      struct({
        name: string('0-7'),
        partitions: array(
          '0-7',
          struct({
            partitionIndex: int32('0-7'),
            committedOffset: int64('0-7'),
            committedLeaderEpoch: int32('5-7', { default: -1 }),
            metadata: string('0-7', { nullable: '0-7' }),
            errorCode: int16('0-7')
          })
        )
      })
    ),
    errorCode: int16('2-7'),
    groups: array(
      '8+',
      struct({
        groupId: string('8+'),
        topics: array(
          '8+',
          struct({
            name: string('8+'),
            partitions: array(
              '8+',
              struct({
                partitionIndex: int32('8+'),
                committedOffset: int64('8+'),
                committedLeaderEpoch: int32('8+', { default: -1 }),
                metadata: string('8+', { nullable: '8+' }),
                errorCode: int16('8+')
              })
            )
          })
        ),
        errorCode: int16('8+')
      })
    )
  })
})
