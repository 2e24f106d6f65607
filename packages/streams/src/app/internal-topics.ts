import type { Admin } from '@millrace/log'
import { lateTopicOf } from '../graph/make-late-records.ts'
import type { SinkNode } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import type { RunOptions } from './app-options.ts'
import { InternalTopicMismatchError } from './errors.ts'
import { configsOf, planTopics, type TopicPlan } from './topic-plan.ts'

/** Topics of the topology that are not its own: sources and sinks. */
export function externalTopics(topology: Topology): string[] {
  const sources = topology.subtopologies.flatMap((subtopology) => subtopology.sourceTopics)
  const sinks = topology.nodes.filter((node): node is SinkNode => node.kind === 'sink').map((node) => node.topic)
  const global = topology.globalTables.map((table) => table.topic)
  const late = topology.nodes.flatMap((node) => lateTopicOf(node) ?? [])
  return [...new Set([...sources, ...global, ...sinks, ...late])]
}

/**
 * Makes what the topology needs, as far as `createTopics` allows, and checks what is there already.
 * @throws MissingSourceTopicError, CopartitionError, InternalTopicMismatchError; nothing of the topology has run then.
 */
export async function prepareTopics(
  admin: Admin,
  topology: Topology,
  options: Pick<RunOptions, 'createTopics' | 'internalTopicConfigs'> & { readonly policies: ErrorPolicies }
): Promise<TopicPlan> {
  const external = [...new Set([...externalTopics(topology), ...deadLetterTopics(options.policies)])]
  if (options.createTopics) {
    const { partitions = 1, configs = {} } = options.createTopics
    const known = await partitionCounts(admin, external)
    for (const name of external.filter((topic) => !known.has(topic))) {
      await admin.ensureTopic({ name, partitions, configs })
    }
  }
  const plan = planTopics(topology, await partitionCounts(admin, external))
  for (const topic of plan.internal) {
    const configs = configsOf(topic, options.internalTopicConfigs)
    await admin.ensureTopic({ name: topic.name, partitions: topic.partitions, configs })
  }
  const actual = await partitionCounts(
    admin,
    plan.internal.map((topic) => topic.name)
  )
  for (const { name, partitions } of plan.internal) {
    const found = actual.get(name) ?? 0
    if (found !== partitions) throw new InternalTopicMismatchError(name, found, partitions)
  }
  const sinks = await partitionCounts(admin, external)
  return { ...plan, partitions: new Map([...plan.partitions, ...sinks]) }
}

/** Partitions of the topics that exist, by name. */
async function partitionCounts(admin: Admin, topics: readonly string[]): Promise<Map<string, number>> {
  const wanted = new Set(topics)
  const all = await admin.listTopics()
  return new Map(all.filter(({ name }) => wanted.has(name)).map(({ name, partitions }) => [name, partitions.length]))
}

function deadLetterTopics(policies: ErrorPolicies): string[] {
  return [policies.deserialization, policies.processing].flatMap((policy) =>
    policy?.kind === 'dead-letter' ? [policy.topic] : []
  )
}
