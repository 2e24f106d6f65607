import { defineApi } from '../api.ts'
import { array, boolean, int16, int32, int64, string, struct } from '../schema.ts'

/** ApiVersions (key 18): what the broker speaks, and its finalized features. Its response header is always version 0. */
export const apiVersions = defineApi({
  key: 18,
  name: 'ApiVersions',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({
    clientSoftwareName: string('3+'),
    clientSoftwareVersion: string('3+')
  }),
  response: struct({
    errorCode: int16('0+'),
    apiKeys: array(
      '0+',
      struct({
        apiKey: int16('0+'),
        minVersion: int16('0+'),
        maxVersion: int16('0+')
      })
    ),
    throttleTimeMs: int32('1+'),
    supportedFeatures: array(
      '3+',
      struct({
        name: string('3+'),
        minVersion: int16('3+'),
        maxVersion: int16('3+')
      }),
      { tag: 0 }
    ),
    finalizedFeaturesEpoch: int64('3+', { tag: 1, default: -1 }),
    finalizedFeatures: array(
      '3+',
      struct({
        name: string('3+'),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+')
      }),
      { tag: 2 }
    ),
    zkMigrationReady: boolean('3+', { tag: 3 })
  })
})
