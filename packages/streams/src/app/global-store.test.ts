import { type Log, openLog } from '@millrace/log'
import { filter, firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { skip } from '../task/error-policy.ts'
import { runStreams } from './run-streams.ts'

const TEXT = { key: string(), value: string() }

let log: Log
beforeEach(async () => {
  log = await openLog('memory:')
  await log.admin().ensureTopic({ name: 'events', partitions: 2, configs: {} })
})
afterEach(() => log.close())

async function produce(topic: string, rows: readonly (readonly [partition: number, value: string])[]): Promise<void> {
  const producer = log.producer()
  for (const [partition, value] of rows) producer.enqueue(topic, partition, null, Buffer.from(value), 0)
  await producer.close()
}

/** Counts the words of all events, in every instance. */
function counting(lives: { processed: number }) {
  return defineTopology('counting', (b) => {
    const counts = b.globalStore('counts', 'events', {
      key: string(),
      value: long(),
      input: TEXT,
      process: ({ value }, store) => {
        lives.processed++
        if (value === 'bad') throw new RangeError('bad event')
        for (const word of (value ?? '').split(' ')) store.put(word, (store.get(word) ?? 0) + 1)
      }
    })
    b.stream('in', TEXT)
      .processValues(({ value }, context) => context.forward(`${value} ${context.store('counts').get(value)}`), {
        stores: [counts],
        value: string()
      })
      .toTable({ store: 'answers' })
  })
}

it("a global store's processor makes its rows from the topic's first record on, at every start, and hears of new ones", async () => {
  await produce('events', [
    [0, 'a b'],
    [1, 'a bad'],
    [0, 'bad'],
    [1, 'c']
  ])
  for (const life of [1, 2]) {
    const lives = { processed: 0 }
    const skipped: string[] = []
    const app = await runStreams(counting(lives), {
      log,
      commitInterval: '5ms',
      errors: { processing: skip() },
      onSkipped: ({ node }) => skipped.push(node)
    })
    try {
      await app.running
      const counts = app.store<string, number>('counts')
      expect(lives.processed).toBe(3 + life)
      expect(await counts.get('a')).toBe(1 + life)
      expect(await counts.get('c')).toBe(1)
      expect(skipped).toEqual(['counts'])
      const seen = firstValueFrom(counts.watch('a').pipe(filter(({ value }) => value === 2 + life)))
      await produce('events', [[1, 'a']])
      await seen
      const producer = log.producer()
      await producer.send({ topic: 'in', partition: 0, key: Buffer.from(`${life}`), value: Buffer.from('a') })
      await producer.close()
      const answer = app.store<string, string>('answers').watch(`${life}`)
      await firstValueFrom(answer.pipe(filter(({ value }) => value === `a ${2 + life}`)))
    } finally {
      await app.close()
    }
  }
})

it('an application whose global store cannot be made does not start, and says which record it was', async () => {
  await produce('events', [[1, 'bad']])
  const app = await runStreams(counting({ processed: 0 }), { log }).catch((error) => error)
  const cause = app instanceof Error ? app : await app.done.catch((error: Error) => error.cause)
  expect(cause).toMatchObject({ code: 'STREAMS_PROCESSING', node: 'counts', topic: 'events', partition: 1, offset: 0 })
})
