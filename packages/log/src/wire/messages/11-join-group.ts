import { defineApi } from '../api.ts'
import { array, boolean, bytes, int16, int32, string, struct } from '../schema.ts'

/** JoinGroup (key 11): asks to be a member of the group's next generation. Held until the generation is complete. */
export const joinGroup = defineApi({
  key: 11,
  name: 'JoinGroup',
  minVersion: 0,
  maxVersion: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: string('0+'),
    sessionTimeoutMs: int32('0+'),
    rebalanceTimeoutMs: int32('1+', { default: -1 }),
    memberId: string('0+'),
    groupInstanceId: string('5+', { nullable: '5+', default: null }),
    protocolType: string('0+'),
    protocols: array(
      '0+',
      struct({
        name: string('0+'),
        metadata: bytes('0+')
      })
    ),
    reason: string('8+', { nullable: '8+', default: null })
  }),
  response: struct({
    throttleTimeMs: int32('2+'),
    errorCode: int16('0+'),
    generationId: int32('0+', { default: -1 }),
    protocolType: string('7+', { nullable: '7+', default: null }),
    protocolName: string('0+', { nullable: '7+' }),
    leader: string('0+'),
    skipAssignment: boolean('9+'),
    memberId: string('0+'),
    members: array(
      '0+',
      struct({
        memberId: string('0+'),
        groupInstanceId: string('5+', { nullable: '5+', default: null }),
        metadata: bytes('0+')
      })
    )
  })
})
