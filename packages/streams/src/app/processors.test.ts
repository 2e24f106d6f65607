import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { appFixture } from './app-fixture.ts'
import { ApplicationFailedError, UnknownSinkTopicError } from './errors.ts'
import type { StreamsApp } from './streams-app.ts'

const text = { key: string(), value: string() }

const scene = appFixture()

async function run(...given: Parameters<typeof scene.run>): Promise<StreamsApp> {
  const app = await scene.run(...given)
  await app.running
  return app
}

async function produce(topic: string, ...values: readonly string[]): Promise<void> {
  const producer = scene.log.producer()
  for (const value of values) producer.enqueue(topic, 0, Buffer.from('k'), Buffer.from(value), 0)
  await producer.close()
}

/** Records of a topic, by partition, once there are so many. */
async function records(topic: string, partitions: number, count: number): Promise<string[][]> {
  const consumer = scene.log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' })
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  consumer.assign(all)
  for (const one of all) consumer.seek(one, 0)
  const read = all.map((): string[] => [])
  while (read.flat().length < count) {
    for (const { partition, batches } of await consumer.poll(1_000)) {
      for (const batch of batches) {
        const view = batch.records()
        while (view.next()) read[partition].push(view.buffer.toString('utf8', view.valueStart, view.valueEnd))
      }
    }
  }
  await consumer.close()
  return read
}

describe('processors on a log', () => {
  it('run what is scheduled by the wall clock without any input, and commit it', async () => {
    const ticking = defineTopology('ticking', (b) => {
      const ticks = b.store('ticks', { key: string(), value: long() })
      b.stream('in', text).process(
        {
          make: (context) => {
            context.schedule('20ms', 'wall-clock', async () => {
              let sum = 1
              for await (const [, count] of context.store('ticks').all()) sum += count
              context.store('ticks').put('ticks', sum)
              context.commit()
            })
            return { process: () => undefined }
          }
        },
        { stores: [ticks] }
      )
    })
    const app = await run(ticking, { commitInterval: '10s' })
    const ticks = app.store<string, number>('ticks').watch('ticks')
    const third = await firstValueFrom(ticks.pipe(filter(({ value }) => (value ?? 0) >= 3)))
    expect(third.value).toBeGreaterThanOrEqual(3)
  })

  it('commit their time, and where an input stands, before anything was read from it', async () => {
    let ticks = 0
    const ticking = defineTopology('timekeeping', (b) => {
      b.stream('in', text).process({
        make: (context) => {
          context.schedule('20ms', 'wall-clock', () => {
            ticks++
          })
          return { process: () => undefined }
        }
      })
    })
    const app = await run(ticking, { commitInterval: '10ms' })
    await firstValueFrom(app.metrics$.pipe(filter(({ commits }) => commits >= 2)))
    expect(ticks).toBeGreaterThan(0)
    const committed = (await scene.log.admin().listGroupOffsets('timekeeping')).get('in-0')
    expect(committed?.offset).toBe(0)
    expect(committed?.metadata).not.toBe('')
  })

  it('route to topics that the topology does not name, in order, and to several partitions', async () => {
    await scene.log.admin().ensureTopic({ name: 'to-a', partitions: 2, configs: {} })
    await scene.log.admin().ensureTopic({ name: 'to-b', partitions: 1, configs: {} })
    const routing = defineTopology('routing', (b) => {
      const input = b.stream('in', text)
      input.to((value) => `to-${value[0]}`, {
        partitioner: (_key, value, partitions) =>
          value.endsWith('!') ? Array.from({ length: partitions }, (_, i) => i) : partitions - 1
      })
    })
    await run(routing, { commitInterval: '10ms', createTopics: {} })
    await produce('in', 'a1', 'b1', 'a2!', 'b2', 'a3')
    expect(await records('to-a', 2, 4)).toEqual([['a2!'], ['a1', 'a2!', 'a3']])
    expect(await records('to-b', 1, 2)).toEqual([['b1', 'b2']])
  })

  it('fail with the name of a topic that is not there', async () => {
    const routing = defineTopology('routing', (b) => {
      b.stream('in', text).to((value) => value)
    })
    const app = await run(routing, { commitInterval: '10ms', createTopics: {} })
    const failed = firstValueFrom(app.state$.pipe(filter(({ status }) => status === 'failed')))
    await produce('in', 'nowhere')
    await failed
    await expect(app.done).rejects.toBeInstanceOf(ApplicationFailedError)
    const cause = await app.done.catch((error) => error.cause.cause)
    expect(cause).toBeInstanceOf(UnknownSinkTopicError)
    expect(cause.topic).toBe('nowhere')
  })

  it('read the topics that match a pattern at the start, and those that came since from the next start on', async () => {
    const admin = scene.log.admin()
    for (const name of ['clicks-a', 'clicks-b']) await admin.ensureTopic({ name, partitions: 1, configs: {} })
    const matching = defineTopology('matching', (b) => {
      b.stream(/^clicks-/, text).to('out')
    })
    const first = await run(matching, { commitInterval: '10ms', createTopics: {} })
    await produce('clicks-a', '1')
    await produce('clicks-b', '2')
    expect((await records('out', 1, 2)).flat().sort()).toEqual(['1', '2'])
    await first.close()
    await admin.ensureTopic({ name: 'clicks-c', partitions: 1, configs: {} })
    await produce('clicks-c', '3')
    await run(matching, { commitInterval: '10ms' })
    expect((await records('out', 1, 3)).flat().sort()).toEqual(['1', '2', '3'])
  })
})
