import { defineApi } from '../api.ts'
import { boolean, int16, int32, int64, string, struct } from '../schema.ts'

/** EndTxn (key 26): commits or aborts. From version 5 on it answers with the bumped producer id and epoch (KIP-890). */
export const endTxn = defineApi({
  key: 26,
  name: 'EndTxn',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 3,
  request: struct({
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    committed: boolean('0+')
  }),
  response: struct({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1 }),
    producerEpoch: int16('5+', { default: -1 })
  })
})
