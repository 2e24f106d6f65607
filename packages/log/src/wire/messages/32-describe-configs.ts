import { defineApi } from '../api.ts'
import { array, boolean, int8, int16, int32, string, struct } from '../schema.ts'

/** DescribeConfigs (key 32): configurations of topics (resource type 2) and brokers (4). Null keys ask for all. */
export const describeConfigs = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  minVersion: 1,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    resources: array(
      '0+',
      struct({
        resourceType: int8('0+'),
        resourceName: string('0+'),
        configurationKeys: array('0+', string(), { nullable: '0+' })
      })
    ),
    includeSynonyms: boolean('1+'),
    includeDocumentation: boolean('3+')
  }),
  response: struct({
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct({
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        resourceType: int8('0+'),
        resourceName: string('0+'),
        configs: array(
          '0+',
          struct({
            name: string('0+'),
            value: string('0+', { nullable: '0+' }),
            readOnly: boolean('0+'),
            configSource: int8('1+', { default: -1 }),
            isSensitive: boolean('0+'),
            synonyms: array(
              '1+',
              struct({
                name: string('1+'),
                value: string('1+', { nullable: '0+' }),
                source: int8('1+')
              })
            ),
            configType: int8('3+'),
            documentation: string('3+', { nullable: '0+' })
          })
        )
      })
    )
  })
})
