import { expect, it } from 'vitest'
import { openLog } from '../open-log.ts'

it('commits 40,000 transactions across a rollover of the producer id', async () => {
  const transactions = 40_000
  const log = await openLog('memory:')
  await log.admin().ensureTopic({ name: 'numbers', partitions: 1 })
  const producer = log.producer({ transactionalId: 'roller' })
  await producer.initTransactions()
  const { clock } = log.environment
  for (let number = 0; number < transactions; number++) {
    producer.beginTransaction()
    producer.enqueue('numbers', 0, null, Buffer.from(String(number)), clock.nowMs())
    await producer.commitTransaction()
  }
  await producer.close()

  const consumer = log.consumer()
  consumer.assign([{ topic: 'numbers', partition: 0 }])
  const producers = new Set<string>()
  let next = 0
  while (next < transactions) {
    for (const { batches } of await consumer.poll(1_000)) {
      for (const batch of batches) {
        producers.add(`${batch.producerId}`)
        const cursor = batch.records()
        while (cursor.next()) expect(Number(cursor.value())).toBe(next++)
      }
    }
  }
  expect(next).toBe(transactions)
  // Every commit takes an epoch (KIP-890), and an id has 32,767 of them.
  expect(producers.size).toBe(2)
  await consumer.close()
  await log.close()
})
