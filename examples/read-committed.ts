import type { Log } from '@millrace/log'

/**
 * Reads a topic from its start to its end as of now, committed records only, partition by partition in order. Transactions that are still open,
 * or whose end is decided and not yet written everywhere, are waited for.
 * @returns how many partitions the topic has.
 */
export async function readCommitted(
  log: Log,
  topic: string,
  visit: (key: Buffer | null, value: Buffer | null, partition: number) => void
): Promise<number> {
  const admin = log.admin()
  const consumer = log.consumer({ isolation: 'read_committed' })
  try {
    const described = (await admin.describeTopics([topic])).get(topic)
    const partitions = (described?.partitions ?? []).map(({ index }) => ({ topic, partition: index }))
    const ends = await consumer.endOffsets(partitions, 'read_uncommitted')
    const left = new Map([...ends].filter(([, end]) => end > 0))
    consumer.assign(partitions)
    for (const tp of partitions) consumer.seek(tp, 0)
    while (left.size > 0) {
      for (const fetched of await consumer.poll(1000)) {
        for (const batch of fetched.batches) {
          const cursor = batch.records()
          while (cursor.next()) visit(cursor.key(), cursor.value(), fetched.partition)
        }
        const name = `${topic}-${fetched.partition}`
        if (fetched.nextOffset >= (left.get(name) ?? 0)) left.delete(name)
      }
    }
    return partitions.length
  } finally {
    await consumer.close()
    await admin.close()
  }
}
