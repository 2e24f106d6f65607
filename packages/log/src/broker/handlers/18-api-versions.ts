import { ErrorCode } from '../../wire/errors.ts'
import { apis, type apiVersions } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

/** What a client may call itself (KIP-511). */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** ApiVersions. What we speak, and the features on which the cluster has agreed. */
export const handleApiVersions: Handler<typeof apiVersions> = (context, request, session) => {
  const named = softwareName.test(request.clientSoftwareName) && softwareName.test(request.clientSoftwareVersion)
  const legal = session.apiVersion < 3 || session.inProcess || named
  const features = [...context.topics.features()]
  return {
    errorCode: legal ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST,
    apiKeys: legal
      ? apis
          .filter(({ key }) => key !== brokersOnly)
          .map(({ key, minVersion, maxVersion, advertisedFrom }) => ({
            apiKey: key,
            minVersion: advertisedFrom ?? minVersion,
            maxVersion
          }))
      : [],
    throttleTimeMs: 0,
    supportedFeatures: features.map(([name, level]) => ({ name, minVersion: 0, maxVersion: level })),
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: features.map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    zkMigrationReady: false
  }
}

/** WriteTxnMarkers, which the coordinator of one broker carries out by itself. */
const brokersOnly = 27
