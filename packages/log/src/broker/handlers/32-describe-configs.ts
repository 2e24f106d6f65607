import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode, protocolError } from '../../wire/errors.ts'
import type { describeConfigs } from '../../wire/messages/index.ts'
import { type DescribedConfig, describeBrokerConfigs, describeTopicConfigs } from '../config-description.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'

type Request = RequestOf<typeof describeConfigs>
type Resource = Request['resources'][number]
type Described = ResponseOf<typeof describeConfigs>['results'][number]

const topicResource = 2
const brokerResource = 4

/** DescribeConfigs. Every configuration of topics and of this broker, with value, default and source. */
export const handleDescribeConfigs: Handler<typeof describeConfigs> = (context, request) => ({
  throttleTimeMs: 0,
  results: request.resources.map((resource) => describeResource(context, resource, request))
})

function describeResource(context: BrokerContext, resource: Resource, request: Request): Described {
  const { resourceType, resourceName, configurationKeys: keys } = resource
  try {
    const configs = configsOf(context, resource)
      .filter(({ name }) => keys === null || keys.length === 0 || keys.includes(name))
      .map((config) => ({
        ...config,
        synonyms: request.includeSynonyms ? config.synonyms : [],
        documentation: request.includeDocumentation ? config.documentation : null
      }))
    return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs }
  } catch (error) {
    return { ...failureOrThrow(error), resourceType, resourceName, configs: [] }
  }
}

function configsOf(context: BrokerContext, { resourceType, resourceName }: Resource): readonly DescribedConfig[] {
  if (resourceType === topicResource) {
    context.topics.checkName(resourceName)
    const topic = context.topics.get(resourceName)
    if (topic === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: resourceName })
    return describeTopicConfigs(topic.configs)
  }
  if (resourceType !== brokerResource) {
    throw protocolError('INVALID_REQUEST', { message: `resources of type ${resourceType} have no configurations here` })
  }
  // The empty name stands for what was set on all brokers at run time, which is nothing.
  if (resourceName === '') return []
  if (resourceName === String(context.brokerId)) return describeBrokerConfigs(context.config)
  throw protocolError('INVALID_REQUEST', { message: `this is broker ${context.brokerId}, not ${resourceName}` })
}
