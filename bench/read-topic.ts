import type { Log } from '@millrace/log'

/** Reads a whole topic as it is now, committed records only; transactions whose end is not written everywhere yet are waited for. */
export async function readTopic(
  log: Log,
  topic: string,
  visit: (key: Buffer | null, value: Buffer | null) => void
): Promise<void> {
  const consumer = log.consumer({ isolation: 'read_committed' })
  const admin = log.admin()
  const described = (await admin.describeTopics([topic])).get(topic)
  const partitions = (described?.partitions ?? []).map(({ index }) => ({ topic, partition: index }))
  const ends = await consumer.endOffsets(partitions, 'read_uncommitted')
  const left = new Map([...ends].filter(([, end]) => end > 0))
  consumer.assign(partitions)
  for (const partition of partitions) consumer.seek(partition, 0)
  while (left.size > 0) {
    for (const fetched of await consumer.poll(1000)) {
      for (const batch of fetched.batches) {
        const cursor = batch.records()
        while (cursor.next()) visit(cursor.key(), cursor.value())
      }
      const name = `${topic}-${fetched.partition}`
      if (fetched.nextOffset >= (left.get(name) ?? 0)) left.delete(name)
    }
  }
  await consumer.close()
  await admin.close()
}
