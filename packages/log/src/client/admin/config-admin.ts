import { ErrorCode, errorFromCode } from '../../wire/errors.ts'
import { describeConfigs } from '../../wire/messages/index.ts'
import type { ClientContext } from '../client-context.ts'
import { UnknownTopicError } from '../errors.ts'

/** What configurations belong to. */
export interface ConfigResource {
  readonly type: 'topic' | 'broker'
  /** The topic's name, or the broker's id. */
  readonly name: string
}

/** One configuration, by Kafka's name. */
export interface ConfigEntry {
  readonly name: string
  /** Null for a secret. */
  readonly value: string | null
  /** Whether nobody has set it, so that it is the brokers' default. */
  readonly isDefault: boolean
  readonly readOnly: boolean
}

const resourceTypes = { topic: 2, broker: 4 } as const
const defaultConfigSource = 5

/** All configurations of a topic or a broker. One attempt. @throws UnknownTopicError, ProtocolError */
export async function describeResource(
  context: ClientContext,
  resource: ConfigResource,
  timeoutMs: number
): Promise<Map<string, ConfigEntry>> {
  const { type, name } = resource
  const asked = { resourceType: resourceTypes[type], resourceName: name, configurationKeys: null }
  const request = { resources: [asked], includeSynonyms: false, includeDocumentation: false }
  const node = type === 'broker' ? { node: Number(name) } : {}
  const { results } = await context.transport.send(describeConfigs, request, { timeoutMs, ...node })
  const [result] = results
  if (result.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) throw new UnknownTopicError(name)
  if (result.errorCode !== ErrorCode.NONE) {
    const { errorMessage } = result
    throw errorFromCode(result.errorCode, { topic: name, ...(errorMessage === null ? {} : { message: errorMessage }) })
  }
  const entries = result.configs.map(({ name: key, value, configSource, readOnly }) => ({
    name: key,
    value,
    isDefault: configSource === defaultConfigSource,
    readOnly
  }))
  return new Map(entries.map((entry) => [entry.name, entry]))
}
