import type { ResponseOf } from '../wire/api.ts'
import type { describeConfigs } from '../wire/messages/index.ts'
import type { BrokerConfig } from './broker-config.ts'
import { brokerConfigs } from './broker-config-names.ts'
import { type ConfigDefinition, ConfigType } from './config-value.ts'
import { topicConfigs } from './topic-config.ts'

/** Where a configuration's value comes from, by Kafka's number (KIP-226). */
export const ConfigSource = { topic: 1, staticBroker: 4, default: 5 } as const

/** One configuration as DescribeConfigs and CreateTopics answer with it. */
export type DescribedConfig = ResponseOf<typeof describeConfigs>['results'][number]['configs'][number]

/** All configurations of a topic; `configs` are those set on it. */
export function describeTopicConfigs(configs: ReadonlyMap<string, string>): DescribedConfig[] {
  return topicConfigs.map((definition) => {
    const set = configs.get(definition.name)
    const synonyms = [
      ...(set === undefined ? [] : [{ name: definition.name, value: set, source: ConfigSource.topic }]),
      { name: definition.brokerName ?? definition.name, value: definition.default, source: ConfigSource.default }
    ]
    return described(definition, { synonyms, readOnly: false })
  })
}

/** All configurations of this broker. They are given when it starts and cannot be changed while it runs. */
export function describeBrokerConfigs(config: BrokerConfig): DescribedConfig[] {
  return brokerConfigs(config).map(({ value, ...definition }) => {
    const fallback = { name: definition.name, value: definition.default, source: ConfigSource.default }
    const own = { name: definition.name, value, source: ConfigSource.staticBroker }
    return described(definition, {
      synonyms: value === definition.default ? [fallback] : [own, fallback],
      readOnly: true
    })
  })
}

function described(
  definition: ConfigDefinition,
  { synonyms, readOnly }: Pick<DescribedConfig, 'synonyms' | 'readOnly'>
): DescribedConfig {
  return {
    name: definition.name,
    value: synonyms[0].value,
    readOnly,
    configSource: synonyms[0].source,
    isSensitive: false,
    synonyms,
    configType: ConfigType[definition.type],
    documentation: definition.documentation
  }
}
