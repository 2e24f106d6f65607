import { openLog, partitionForKey } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { runStreams } from '../../app/run-streams.ts'
import { nullable } from '../../serde/custom.ts'
import { string } from '../../serde/string.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'

const text = { key: string(), value: string() }

const enriching = defineTopology('enriching', (b) => {
  const rates = b.readOnlyStore('rates', 'rates', text)
  b.stream('amounts', text)
    .processValues(
      async ({ key, value }, context) => {
        const all: string[] = []
        for await (const [known] of context.store('rates').all()) all.push(known)
        context.forward(`${value} at ${context.store('rates').get(key)} of ${all.join(',')}`)
      },
      { stores: [rates], value: nullable(string()) }
    )
    .to('out')
})

describe('a read-only store', () => {
  it('has what the topic had up to the time of the record', async () => {
    const driver = await TopologyTestDriver.open(enriching)
    const [rates, amounts] = [driver.input<string, string | null>('rates'), driver.input<string, string>('amounts')]
    await rates.pipe('usd', '1.1', 0)
    await rates.pipe('chf', '0.9', 1)
    await amounts.pipe('usd', '10', 2)
    await rates.pipe('usd', null, 3)
    await amounts.pipe('usd', '20', 4)
    expect(driver.output('out').readValues()).toEqual(['10 at 1.1 of chf,usd', '20 at undefined of chf'])
    expect(driver.store<string, string>('rates').get('chf')?.value).toBe('0.9')
    await driver.close()
  })

  it('cannot be written', async () => {
    const writing = defineTopology('writing', (b) => {
      const rates = b.readOnlyStore('rates', 'rates', text)
      b.stream('amounts', text).process(
        ({ key, value }, context) => {
          const store = context.store('rates')
          // @ts-expect-error there is no put
          store.put(key, value)
        },
        { stores: [rates] }
      )
    })
    const driver = await TopologyTestDriver.open(writing)
    const piped = driver.input<string, string>('amounts').pipe('usd', '1', 0)
    await expect(piped).rejects.toMatchObject({ cause: { message: expect.stringContaining('put is not a function') } })
  })

  it('has, on a partitioned log, each key where its records are, and is restored from its changelog', async () => {
    const log = await openLog('memory:')
    for (const name of ['rates', 'amounts', 'out']) await log.admin().ensureTopic({ name, partitions: 3, configs: {} })
    const producer = log.producer()
    const send = (topic: string, key: string, value: string, timestamp: number) =>
      producer.send({
        topic,
        partition: partitionForKey(Buffer.from(key), 3),
        key: Buffer.from(key),
        value: Buffer.from(value),
        timestamp
      })
    const consumer = log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' })
    consumer.assign([0, 1, 2].map((partition) => ({ topic: 'out', partition })))
    const read: string[] = []
    const results = async (count: number) => {
      while (read.length < count) {
        for (const { batches } of await consumer.poll(1_000)) {
          for (const batch of batches) {
            const view = batch.records()
            while (view.next()) read.push(view.buffer.toString('utf8', view.valueStart, view.valueEnd))
          }
        }
      }
      return read
        .splice(0)
        .map((line) => line.split(' of ')[0])
        .sort()
    }
    const currencies = ['usd', 'chf', 'gbp', 'jpy', 'sek']
    for (const [i, currency] of currencies.entries()) await send('rates', currency, `${i}`, 0)
    const expected = currencies.map((currency, i) => `${currency} at ${i}`).sort()
    for (let life = 1; life <= 2; life++) {
      for (const currency of currencies) await send('amounts', currency, currency, life)
      const app = await runStreams(enriching, { log, commitInterval: '10ms' })
      expect(await results(currencies.length)).toEqual(expected)
      await app.close()
    }
    await consumer.close()
    await producer.close()
    await log.close()
  })
})
