import type { Consumer, Log, TopicPartition } from '@millrace/log'
import type { Topology } from '@millrace/streams'

const LOOK_AGAIN_MS = 20
const LOOKS_WITHOUT_PROGRESS = 5

/** Records of a partition that are not known to be processed. */
interface Unprocessed extends TopicPartition {
  readonly from: number
  readonly to: number
}

/** Resolves when everything that is now on the topics that the topology reads is processed and committed, all that follows from it too. */
export async function whenCaughtUp(log: Log, topology: Topology): Promise<void> {
  const admin = log.admin()
  const consumer = log.consumer()
  try {
    for (const { sourceTopics, repartitionSources } of topology.subtopologies) {
      const topics = [...sourceTopics, ...repartitionSources.map((name) => `${topology.name}-${name}`)]
      const described = await admin.describeTopics(topics)
      const partitions = topics.flatMap((topic) =>
        (described.get(topic)?.partitions ?? []).map(({ index }) => ({ topic, partition: index }))
      )
      const committed = () => admin.listGroupOffsets(topology.name)
      await whenCommitted(log, partitions, { consumer, committed })
    }
  } finally {
    await consumer.close()
    await admin.close()
  }
}

interface Group {
  readonly consumer: Consumer
  committed(): Promise<ReadonlyMap<string, { readonly offset: number }>>
}

async function whenCommitted(
  log: Log,
  partitions: readonly TopicPartition[],
  { consumer, committed }: Group
): Promise<void> {
  // Not the last stable offset: the end of a transaction just committed may not be written to every partition yet.
  const ends = await consumer.endOffsets(partitions, 'read_uncommitted')
  for (let looks = 0, before = ''; ; looks++) {
    const offsets = await committed()
    const behind = partitions
      .map(({ topic, partition }): Unprocessed => {
        const name = `${topic}-${partition}`
        return { topic, partition, from: offsets.get(name)?.offset ?? 0, to: ends.get(name) ?? 0 }
      })
      .filter(({ from, to }) => from < to)
    if (behind.length === 0) return
    const now = JSON.stringify(behind)
    if (now !== before) looks = 0
    before = now
    // Behind the last record there may be what no one processes: the marker of a transaction.
    if (looks >= LOOKS_WITHOUT_PROGRESS && !(await holdsRecords(consumer, behind))) return
    await new Promise<void>((resolve) => log.environment.timers.set(LOOK_AGAIN_MS, resolve))
  }
}

async function holdsRecords(consumer: Consumer, behind: readonly Unprocessed[]): Promise<boolean> {
  consumer.assign(behind)
  for (const part of behind) consumer.seek(part, part.from)
  while (behind.some((part) => consumer.position(part) < part.to)) {
    for (const { batches } of await consumer.poll(LOOK_AGAIN_MS)) if (batches.length > 0) return true
  }
  return false
}
