import type { Consumer, Log } from '@millrace/log'
import { CLICKS_TOPIC } from './click-source.ts'

const LOOK_AGAIN_MS = 20
const LOOKS_WITHOUT_PROGRESS = 5

/** Clicks of a partition that are not known to be counted. */
interface Uncounted {
  readonly partition: number
  readonly from: number
  readonly to: number
}

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
    for (let looks = 0, before = ''; ; looks++) {
      const committed = await admin.listGroupOffsets(application)
      const behind = partitions
        .map(({ partition }) => ({
          partition,
          from: committed.get(`${CLICKS_TOPIC}-${partition}`)?.offset ?? 0,
          to: ends.get(`${CLICKS_TOPIC}-${partition}`) ?? 0
        }))
        .filter(({ from, to }) => from < to)
      if (behind.length === 0) return
      const now = JSON.stringify(behind)
      if (now !== before) looks = 0
      before = now
      // Behind the last click there may be what no one counts: the marker of an aborted transaction.
      if (looks >= LOOKS_WITHOUT_PROGRESS && !(await holdsClicks(consumer, behind))) return
      await new Promise<void>((resolve) => log.environment.timers.set(LOOK_AGAIN_MS, resolve))
    }
  } finally {
    await consumer.close()
    await admin.close()
  }
}

async function holdsClicks(consumer: Consumer, behind: readonly Uncounted[]): Promise<boolean> {
  const placeOf = ({ partition }: Uncounted) => ({ topic: CLICKS_TOPIC, partition })
  consumer.assign(behind.map(placeOf))
  for (const part of behind) consumer.seek(placeOf(part), part.from)
  while (behind.some((part) => consumer.position(placeOf(part)) < part.to)) {
    for (const { batches } of await consumer.poll(LOOK_AGAIN_MS)) if (batches.length > 0) return true
  }
  return false
}
