import { defineApi } from '../api.ts'
import { int16, int32, int64, string, struct } from '../schema.ts'

/** AddOffsetsToTxn (key 25): adds a group's offsets partition to a transaction of the older protocol. */
export const addOffsetsToTxn = defineApi({
  key: 25,
  name: 'AddOffsetsToTxn',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    groupId: string('0+')
  }),
  response: struct({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+')
  })
})
