import { memoryEnvironment } from '@millrace/log'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { appFixture } from './app-fixture.ts'
import { CopartitionError } from './errors.ts'
import { MatchedTopics } from './matched-topics.ts'
import type { StreamsApp } from './streams-app.ts'
import { planTopics } from './topic-plan.ts'

const text = { key: string(), value: string() }

const counting = defineTopology('counting', (b) => {
  b.stream(/^clicks-/, text)
    .groupByKey()
    .count({ store: 'counts', emit: 'changes' })
    .toStream()
    .to('out')
})

const copying = defineTopology('copying', (b) => {
  b.stream(/^clicks-/, text).to('out')
})

const scene = appFixture()

async function run(topology = counting, topicRefreshInterval: '10ms' | '1h' = '10ms'): Promise<StreamsApp> {
  const app = await scene.run(topology, { commitInterval: '5ms', createTopics: {}, topicRefreshInterval })
  await app.running
  return app
}

async function topic(name: string, partitions = 1): Promise<void> {
  await scene.log.admin().ensureTopic({ name, partitions, configs: {} })
}

async function produce(name: string, partition: number, ...values: readonly string[]): Promise<void> {
  const producer = scene.log.producer()
  for (const value of values) producer.enqueue(name, partition, Buffer.from('k'), Buffer.from(value), 0)
  await producer.close()
}

/** The values of `out`, once there are so many. */
async function written(count: number): Promise<(string | number)[]> {
  const consumer = scene.log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' })
  consumer.assign([{ topic: 'out', partition: 0 }])
  const read: (string | number)[] = []
  while (read.length < count) {
    for (const { batches } of await consumer.poll(1_000)) {
      for (const batch of batches) {
        const view = batch.records()
        while (view.next()) {
          const isCount = view.valueEnd - view.valueStart === 8 && view.buffer[view.valueStart] === 0
          const { buffer, valueStart, valueEnd } = view
          read.push((isCount ? long() : string()).decode(buffer, valueStart, valueEnd))
        }
      }
    }
  }
  await consumer.close()
  return read
}

describe('a stream by pattern that runs', () => {
  it('reads a topic that comes while it runs, from its start, with the state it has', async () => {
    await topic('clicks-a')
    await run()
    await produce('clicks-a', 0, 'one', 'two')
    await written(2)
    await topic('clicks-b')
    await produce('clicks-b', 0, 'three')
    expect(await written(3)).toEqual([1, 2, 3])
    await produce('clicks-a', 0, 'four')
    expect(await written(4)).toEqual([1, 2, 3, 4])
  })

  it('has members of its group read a topic that only one of them knows of', async () => {
    await topic('clicks-a', 2)
    await run(copying, '1h')
    await run(copying)
    await topic('clicks-b', 2)
    await produce('clicks-b', 0, 'b0')
    await produce('clicks-b', 1, 'b1')
    expect((await written(2)).sort()).toEqual(['b0', 'b1'])
  })

  it('fails with what is wrong when a topic comes that cannot be grouped with the others', async () => {
    await topic('clicks-a')
    const app = await run()
    const failed = firstValueFrom(app.state$.pipe(filter(({ status }) => status === 'failed')))
    await topic('clicks-b', 2)
    const state = await failed
    expect(state.status === 'failed' && state.error).toBeInstanceOf(CopartitionError)
    await app.done.catch(() => undefined)
  })

  it('reads a topic that comes from where its source says', async () => {
    const late = defineTopology('late', (b) => {
      b.stream(/^clicks-/, { ...text, reset: 'latest' }).to('out')
      b.stream('lines', text).to('out')
    })
    for (const name of ['clicks-a', 'lines']) {
      await topic(name)
      await produce(name, 0, `before in ${name}`)
    }
    await run(late)
    await produce('clicks-a', 0, 'after')
    expect((await written(2)).sort()).toEqual(['after', 'before in lines'])
  })
})

describe('matched topics', () => {
  const member = (existing: string[], clock = memoryEnvironment().clock) =>
    MatchedTopics.open(counting, {
      admin: { listTopics: async () => existing.map((name) => ({ name, topicId: '', partitions: [] })) },
      clock,
      refreshMs: 10,
      prepare: async (found) => planTopics(found, new Map([...existing, 'clicks-b'].map((name) => [name, 1])))
    })

  it('are, for the leader, what any member found, and for a member what it is given too', async () => {
    const found = await member(['clicks-a'])
    const together = found.among(
      new Map([
        ['clicks-a', 1],
        ['clicks-b', 1]
      ])
    )
    expect(together.topology.subtopologies[0].sourceTopics).toEqual(['clicks-a', 'clicks-b'])
    expect(found.current.topology.subtopologies[0].sourceTopics).toEqual(['clicks-a'])
    await found.adopt(['clicks-b', 'clicks-a'])
    expect(found.current.topology.subtopologies[0].sourceTopics).toEqual(['clicks-a', 'clicks-b'])
  })

  it('are looked for once an interval; what was given is subscribed to with the next look', async () => {
    let nowMs = 0
    const existing = ['clicks-a']
    const found = await member(existing, { ...memoryEnvironment().clock, monotonicMs: () => nowMs })
    existing.push('clicks-b')
    expect(await found.refresh()).toBeUndefined()
    await found.adopt(['clicks-b'])
    expect(found.subscription).toEqual(['clicks-a'])
    nowMs = 10
    expect(await found.refresh()).toEqual(['clicks-a', 'clicks-b'])
    nowMs = 20
    expect(await found.refresh()).toBeUndefined()
    existing.splice(0, 1)
    nowMs = 30
    expect(await found.refresh()).toEqual(['clicks-b'])
    existing.splice(0, 1)
    nowMs = 40
    expect(await found.refresh()).toBeUndefined()
  })
})
