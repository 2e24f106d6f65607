import type { Log } from '@millrace/log'
import { CLICKS_TOPIC } from './log-reader.ts'

const LOOK_AGAIN_MS = 20

/** Resolves when everything that is on the topic `clicks` now is counted and committed. */
export async function whenCaughtUp(log: Log, application: string): Promise<void> {
  const admin = log.admin()
  const consumer = log.consumer()
  try {
    const partitions = ((await admin.describeTopics([CLICKS_TOPIC])).get(CLICKS_TOPIC)?.partitions ?? []).map(
      ({ index }) => ({ topic: CLICKS_TOPIC, partition: index })
    )
    // Not the last stable offset: the end of a transaction just committed may not be written to every partition yet.
    const ends = await consumer.endOffsets(partitions, 'read_uncommitted')
    for (;;) {
      const committed = await admin.listGroupOffsets(application)
      const behind = [...ends].filter(([partition, end]) => (committed.get(partition)?.offset ?? 0) < end)
      if (behind.length === 0) return
      await new Promise<void>((resolve) => log.environment.timers.set(LOOK_AGAIN_MS, resolve))
    }
  } finally {
    await consumer.close()
    await admin.close()
  }
}
