import { type Log, openLog } from '@millrace/log'
import { type AppState, deadLetter, defineTopology, runStreams, skip, string } from '@millrace/streams'
import { filter, firstValueFrom, timeout } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { openRegistry } from '../registry/registry.ts'
import { frameHeader } from '../wire-format.ts'
import { avroSerde } from './avro-serde.ts'

const click = {
  type: 'record',
  name: 'Click',
  fields: [
    { name: 'page', type: 'string' },
    { name: 'ms', type: 'long' }
  ]
} as const
const wider = { ...click, fields: [...click.fields, { name: 'user', type: 'string', default: '' }] } as const
const total = {
  type: 'record',
  name: 'Total',
  fields: [
    { name: 'page', type: 'string' },
    { name: 'count', type: 'long' }
  ]
} as const
const WAIT_MS = 90_000

describe('a registry serde in streams', () => {
  it.each([
    ['skip', skip()],
    ['dead letters', deadLetter('dead')]
  ])(
    'waits for a schema that came while it runs, also with the policy %s, and loses no record',
    async (_name, policy) => {
      const log = await openLog('memory:')
      const registry = await openRegistry({ log })
      const clicks = await avroSerde({ registry, subject: 'clicks-value', schema: click })
      const totals = await avroSerde({ registry, subject: 'totals-value', schema: total })
      for (const name of ['clicks', 'totals', 'dead']) await log.admin().ensureTopic({ name, partitions: 1 })
      const topology = defineTopology('totals', (b) => {
        b.stream('clicks', { key: string(), value: clicks })
          .groupByKey()
          .aggregate(
            () => ({ page: '', count: 0 }),
            ({ page }, before) => ({ page, count: before.count + 1 }),
            {
              store: 'totals',
              value: totals
            }
          )
          .toStream()
          .to('totals', { value: totals })
      })
      const app = await runStreams(topology, { log, errors: { deserialization: policy }, commitInterval: 20 })
      const states: AppState[] = []
      app.state$.subscribe((state) => states.push(state))
      const reached = (count: number) =>
        firstValueFrom(
          app
            .store('totals')
            .watch('p')
            .pipe(
              filter(({ value }) => Reflect.get(Object(value), 'count') === count),
              timeout(WAIT_MS)
            )
        )
      const producer = log.producer()
      const send = (value: Buffer) =>
        producer.send({ topic: 'clicks', partition: 0, key: Buffer.from('p'), value, timestamp: 1 })

      await send(clicks.encode({ page: 'p', ms: 1 }))
      await reached(1)
      const newer = await avroSerde({ registry, subject: 'clicks-value', schema: wider })
      await send(newer.encode({ page: 'p', ms: 2, user: 'u' }))
      await send(clicks.encode({ page: 'p', ms: 3 }))
      await reached(3)
      expect(states).toContainEqual({
        status: 'restarting',
        reason: expect.objectContaining({ cause: expect.objectContaining({ code: 'STREAMS_SERDE_NOT_READY' }) })
      })

      // A schema that there is not is another matter: the record is bad, and the policy decides.
      await send(Buffer.concat([frameHeader(4711), newer.encode({ page: 'p', ms: 4, user: 'u' }).subarray(5)]))
      await send(newer.encode({ page: 'p', ms: 5, user: 'u' }))
      await reached(4)
      await producer.close()
      await app.close()
      const expected = policy.kind === 'dead-letter' ? 1 : 0
      expect(await countOf(log, 'dead', expected)).toBe(expected)
      await registry.close()
      await log.close()
    }
  )
})

/** How many records a topic has; waits until there are some, since the marker of a transaction follows its commit. */
async function countOf(log: Log, topic: string, atLeast: number): Promise<number> {
  const consumer = log.consumer()
  consumer.assign([{ topic, partition: 0 }])
  let count = 0
  do {
    for (const { batches } of await consumer.poll(250)) for (const batch of batches) count += batch.recordCount
  } while (count < atLeast)
  await consumer.close()
  return count
}
