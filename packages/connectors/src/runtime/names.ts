import { type Log, partitionForKey, type TopicMetadata } from '@millrace/log'

/** Positions of sources: key JSON `["<connector>","<split>"]`, value the position as JSON; a tombstone forgets the split. */
export const OFFSETS_TOPIC = 'connect-offsets'
/** Target states and what else an operator wants, one partition: `target-state-<name>`, `connector-<name>`, `offsets-edit-<name>` … */
export const CONFIGS_TOPIC = 'connect-configs'
/** The last known status of each connector, one partition: `status-connector-<name>`. */
export const STATUS_TOPIC = 'connect-status'

const OFFSETS_PARTITIONS = 5
const RUNTIME_TOPICS: ReadonlySet<string> = new Set([OFFSETS_TOPIC, CONFIGS_TOPIC, STATUS_TOPIC])
const COMPACTED = { 'cleanup.policy': 'compact' }

/** Compacted topic with the rows that a source remembers beyond its positions. */
export function stateTopic(connector: string): string {
  return `connect-${connector}-state`
}

/** Whether a topic is the broker's or the runtime's own, which no pattern is meant for. */
export function isInternalTopic(name: string): boolean {
  return name.startsWith('__') || RUNTIME_TOPICS.has(name) || /^connect-.+-state$/.test(name)
}

/** Under which a source's records and positions are committed, so that two runners of one name fence each other. */
export function transactionalId(connector: string): string {
  return `connect-${connector}`
}

/** Consumer group of a sink, as Kafka Connect names it. */
export function sinkGroupId(connector: string): string {
  return `connect-${connector}`
}

/** Makes sure that the topic of the positions is there. */
export async function ensureOffsetsTopic(log: Log): Promise<TopicMetadata> {
  return ensureCompacted(log, OFFSETS_TOPIC, OFFSETS_PARTITIONS)
}

/** Makes sure that a compacted topic is there; one that is there is left as it is. */
export async function ensureCompacted(log: Log, name: string, partitions: number): Promise<TopicMetadata> {
  const admin = log.admin()
  try {
    return await admin.ensureTopic({ name, partitions, configs: COMPACTED })
  } finally {
    await admin.close()
  }
}

/** All positions of a connector are in one partition, so that reading them back waits for nobody else's transactions. */
export function offsetsPartition(connector: string, partitions: number): number {
  return partitionForKey(Buffer.from(connector), partitions)
}

/** The topic as the cluster has it now; undefined when it does not exist. */
export async function findTopic(log: Log, name: string): Promise<TopicMetadata | undefined> {
  const admin = log.admin()
  try {
    return (await admin.listTopics()).find((topic) => topic.name === name)
  } finally {
    await admin.close()
  }
}
