import type { Admin, Consumer, Log } from '@millrace/log'
import type { ChangelogCatalog } from './running-task.ts'
import type { TopicPlan } from './topic-plan.ts'

/** Kafka's default of `delete.retention.ms`. */
const DEFAULT_DELETE_RETENTION_MS = 24 * 60 * 60 * 1000

/** Asks the cluster for what the stores' identities are compared with. */
export async function changelogCatalog(
  log: Log,
  parts: { readonly admin: Admin; readonly plan: TopicPlan; readonly consumer: Consumer }
): Promise<ChangelogCatalog> {
  const { admin, plan, consumer } = parts
  const names = plan.internal.map((topic) => topic.name).filter((name) => name.endsWith('-changelog'))
  const described = await admin.describeTopics(names)
  const topics = new Map<string, { topicId: string; deleteRetentionMs: number }>()
  for (const name of names) {
    const configs = await admin.describeConfigs({ type: 'topic', name })
    const configured = Number(configs.get('delete.retention.ms')?.value ?? DEFAULT_DELETE_RETENTION_MS)
    topics.set(name, { topicId: described.get(name)?.topicId ?? '', deleteRetentionMs: configured })
  }
  return { clusterId: log.clusterId, topics, consumer, nowMs: () => log.environment.clock.nowMs() }
}
