import { defineApi } from '../api.ts'
import { array, int8, int16, int32, string, struct } from '../schema.ts'

/** FindCoordinator (key 10): the broker that coordinates a group (key type 0) or a transactional id (1). */
export const findCoordinator = defineApi({
  key: 10,
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 3,
  request: struct({
    key: string('0-3'),
    keyType: int8('1+'),
    coordinatorKeys: array('4+', string())
  }),
  response: struct({
    throttleTimeMs: int32('1+'),
    errorCode: int16('0-3'),
    errorMessage: string('1-3', { nullable: '1-3' }),
    nodeId: int32('0-3'),
    host: string('0-3'),
    port: int32('0-3'),
    coordinators: array(
      '4+',
      struct({
        key: string('4+'),
        nodeId: int32('4+'),
        host: string('4+'),
        port: int32('4+'),
        errorCode: int16('4+'),
        errorMessage: string('4+', { nullable: '4+' })
      })
    )
  })
})
