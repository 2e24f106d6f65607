import { defineApi } from '../api.ts'
import { int16, int32, string, struct } from '../schema.ts'

/** Heartbeat (key 12): keeps a member's session alive and tells it of a rebalance. */
export const heartbeat = defineApi({
  key: 12,
  name: 'Heartbeat',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null })
  }),
  response: struct({
    throttleTimeMs: int32('1+'),
    errorCode: int16('0+')
  })
})
