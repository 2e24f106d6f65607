import { defineApi } from '../api.ts'
import { array, bytes, int16, int32, string, struct } from '../schema.ts'

/** SyncGroup (key 14): the leader hands in the assignments, every member gets its own. */
export const syncGroup = defineApi({
  key: 14,
  name: 'SyncGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    protocolType: string('5+', { nullable: '5+', default: null }),
    protocolName: string('5+', { nullable: '5+', default: null }),
    assignments: array(
      '0+',
      struct({
        memberId: string('0+'),
        assignment: bytes('0+')
      })
    )
  }),
  response: struct({
    throttleTimeMs: int32('1+'),
    errorCode: int16('0+'),
    protocolType: string('5+', { nullable: '5+', default: null }),
    protocolName: string('5+', { nullable: '5+', default: null }),
    assignment: bytes('0+')
  })
})
