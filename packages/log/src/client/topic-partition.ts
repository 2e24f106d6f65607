/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic-partition`: what maps over partitions are keyed by, and how Kafka prints one. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** What the protocol's requests want: the entries of each topic together, topics in order of first appearance. */
export function groupByTopic<T extends { readonly topic: string }>(entries: Iterable<T>): Map<string, T[]> {
  const topics = new Map<string, T[]>()
  for (const entry of entries) {
    const sameTopic = topics.get(entry.topic)
    if (sameTopic === undefined) topics.set(entry.topic, [entry])
    else sameTopic.push(entry)
  }
  return topics
}
