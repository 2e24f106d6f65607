import { defineApi } from '../api.ts'
import { array, int16, int32, string, struct, uuid } from '../schema.ts'

/** DeleteTopics (key 20): by name up to version 5, by name or id from version 6 on. */
export const deleteTopics = defineApi({
  key: 20,
  name: 'DeleteTopics',
  minVersion: 1,
  maxVersion: 6,
  flexibleFrom: 4,
  request: struct({
    topics: array(
      '6+',
      struct({
        name: string('6+', { nullable: '6+', default: null }),
        topicId: uuid('6+')
      })
    ),
    topicNames: array('0-5', string()),
    timeoutMs: int32('0+')
  }),
  response: struct({
    throttleTimeMs: int32('1+'),
    responses: array(
      '0+',
      struct({
        name: string('0+', { nullable: '6+' }),
        topicId: uuid('6+'),
        errorCode: int16('0+'),
        errorMessage: string('5+', { nullable: '5+', default: null })
      })
    )
  })
})
