import { defineApi } from '../api.ts'
import { array, int16, int32, string, struct } from '../schema.ts'

/** LeaveGroup (key 13): removes members; one by its id up to version 2, several from version 3 on (KIP-345). */
export const leaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string('0+'),
    memberId: string('0-2'),
    members: array(
      '3+',
      struct({
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+', default: null }),
        reason: string('5+', { nullable: '5+', default: null })
      })
    )
  }),
  response: struct({
    throttleTimeMs: int32('1+'),
    errorCode: int16('0+'),
    members: array(
      '3+',
      struct({
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+' }),
        errorCode: int16('3+')
      })
    )
  })
})
