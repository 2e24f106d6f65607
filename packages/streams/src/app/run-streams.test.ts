import { partitionForKey } from '@millrace/log'
import { filter, firstValueFrom, lastValueFrom, merge, take, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { hopping, tumbling } from '../dsl/windows.ts'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { skip } from '../task/error-policy.ts'
import { appFixture } from './app-fixture.ts'
import {
  ApplicationFailedError,
  CopartitionError,
  InternalTopicMismatchError,
  MissingSourceTopicError,
  UnknownStoreError
} from './errors.ts'
import { runStreams } from './run-streams.ts'
import type { StreamsApp } from './streams-app.ts'

const scene = appFixture()

async function produce(topic: string, records: readonly (readonly [string | null, string | null, number?])[]) {
  const partitions = (await scene.log.admin().describeTopics([topic])).get(topic)?.partitions.length ?? 1
  const producer = scene.log.producer()
  for (const [key, value, timestamp] of records) {
    const keyBytes = key === null ? null : Buffer.from(key)
    const partition = keyBytes === null ? 0 : partitionForKey(keyBytes, partitions)
    producer.enqueue(topic, partition, keyBytes, value === null ? null : Buffer.from(value), timestamp ?? 0)
  }
  await producer.close()
}

const wordCount = defineTopology('word-count', (b) => {
  b.stream('lines', { key: string(), value: string() })
    .flatMapValues((line) => line.split(' '), { value: string() })
    .groupBy((word) => word)
    .count({ store: 'counts' })
    .toStream()
    .to('word-counts')
})

/** Resolves when the key's committed value is `value`. */
function reached(app: StreamsApp, store: string, key: string, value: number): Promise<unknown> {
  return firstValueFrom(
    app
      .store<string, number>(store)
      .watch(key)
      .pipe(filter((entry) => entry.value === value))
  )
}

describe('runStreams', () => {
  it('counts through a repartition topic, and answers queries with committed data', async () => {
    const app = await scene.run(wordCount, { createTopics: { partitions: 3 }, commitInterval: '20ms' })
    await app.running
    await produce('lines', [
      ['a', 'to be or not'],
      ['b', 'to be']
    ])
    await reached(app, 'counts', 'be', 2)
    const counts = app.store<string, number>('counts')
    expect(await counts.get('to')).toBe(2)
    expect(await counts.get('nothing')).toBeUndefined()
    const all: [string, number | undefined][] = []
    for await (const { key, value } of counts.all()) all.push([key, value])
    expect(all.sort()).toEqual([
      ['be', 2],
      ['not', 1],
      ['or', 1],
      ['to', 2]
    ])
    expect(app.metrics().processedRecords).toBeGreaterThanOrEqual(2)
  })

  it('goes on where the last commit ended, with its windows and their time', async () => {
    const topology = defineTopology('windows', (b) => {
      b.stream('in', { key: string(), value: long() })
        .groupByKey()
        .windowedBy(tumbling({ size: '10s', grace: '0ms' }))
        .count({ store: 'per-window' })
    })
    const value = long().encode(1).toString('latin1')
    const first = await scene.run(topology, { commitInterval: '10ms' })
    await first.running
    await produce('in', [
      ['a', value, 1000],
      ['a', value, 25_000]
    ])
    await firstValueFrom(first.metrics$.pipe(filter(({ processedRecords }) => processedRecords === 2)))
    await first.close()
    expect(first.state).toEqual({ status: 'closed' })

    const second = await scene.run(topology, { commitInterval: '10ms' })
    const restored = firstValueFrom(second.restore$.pipe(filter(({ done }) => done)))
    await second.running
    expect(await restored).toMatchObject({ store: 'per-window', records: 2, fromOffset: 0 })
    // The first window closed in the life before: a record for it is late in this one too.
    await produce('in', [
      ['a', value, 2000],
      ['a', value, 26_000]
    ])
    await firstValueFrom(second.metrics$.pipe(filter(({ processedRecords }) => processedRecords === 2)))
    expect(second.metrics().droppedRecords).toEqual({ late: 1 })
    const windows: unknown[] = []
    for await (const { window, value: count } of second.store('per-window').fetch('a'))
      windows.push([window?.startMs, count])
    expect(windows).toEqual([[20_000, 2]])
  })

  it('answers no queries when it has ended, and ends watches', async () => {
    const app = await scene.run(wordCount, { createTopics: { partitions: 3 }, commitInterval: '20ms' })
    await app.running
    const counts = app.store<string, number>('counts')
    const watched = lastValueFrom(counts.watch('be'), { defaultValue: 'ended' })
    await app.close()
    await expect(watched).resolves.toBe('ended')
    await expect(lastValueFrom(counts.watch('be'), { defaultValue: 'ended' })).resolves.toBe('ended')
    await expect(counts.get('be')).rejects.toThrow('application word-count is closed: read its stores while it runs')
    await expect(counts.approximateCount()).rejects.toThrow('is closed')
    await expect(counts.all()[Symbol.asyncIterator]().next()).rejects.toThrow('is closed')
  })

  it('emits final results once, after their window closed', async () => {
    const topology = defineTopology('finals', (b) => {
      b.stream('in', { key: string(), value: string() })
        .groupByKey()
        .windowedBy(hopping({ size: '10s', advance: '5s', grace: '0ms' }))
        .count({ store: 'c', emit: 'final' })
        .toStream()
        .map((count, { key }) => [`${key.key}@${key.startMs}`, String(count)], { key: string(), value: string() })
        .to('out')
    })
    const app = await scene.run(topology, { commitInterval: '10ms' })
    await app.running
    await produce('in', [
      ['a', 'x', 6000],
      ['a', 'x', 7000],
      ['a', 'x', 16_000]
    ])
    const consumer = scene.log.consumer()
    consumer.assign([{ topic: 'out', partition: 0 }])
    const seen: string[] = []
    while (seen.length < 2) {
      for (const { batches } of await consumer.poll(1000)) {
        for (const batch of batches) {
          const cursor = batch.records()
          while (cursor.next()) seen.push(`${cursor.key()} ${cursor.value()}`)
        }
      }
    }
    await consumer.close()
    expect(seen).toEqual(['a@0 2', 'a@5000 2'])
  })

  it('stops at its last commit when a callback fails, and says so', async () => {
    const topology = defineTopology('fails', (b) => {
      b.stream('in', { key: string(), value: json<{ n: number }>() })
        .mapValues(
          (value) => {
            if (value.n === 13) throw new RangeError('unlucky')
            return value
          },
          { value: json<{ n: number }>() }
        )
        .to('out')
    })
    const app = await scene.run(topology, { commitInterval: '10ms' })
    const states = firstValueFrom(app.state$.pipe(toArray()))
    await app.running
    await produce('in', [
      ['a', '{"n":1}'],
      ['a', '{"n":13}']
    ])
    await expect(app.done).rejects.toThrow(ApplicationFailedError)
    await expect(app.done).rejects.toThrow(/unlucky/)
    expect((await states).at(-1)?.status).toBe('failed')
  })

  it('goes on without a record that a policy skips', async () => {
    const topology = defineTopology('skips', (b) => {
      b.stream('in', { key: string(), value: json<{ n: number }>() })
        .groupByKey()
        .aggregate(
          () => 0,
          ({ n }, sum) => {
            if (n < 0) throw new RangeError('negative')
            return sum + n
          },
          { value: long(), store: 'sums' }
        )
    })
    const skipped: string[] = []
    const app = await scene.run(topology, {
      commitInterval: '10ms',
      errors: { deserialization: skip(), processing: skip() },
      onSkipped: (error) => skipped.push(error.code)
    })
    await app.running
    await produce('in', [
      ['a', '{"n":1}'],
      ['a', 'no json'],
      ['a', '{"n":-1}'],
      ['a', '{"n":2}']
    ])
    await reached(app, 'sums', 'a', 3)
    expect(skipped).toHaveLength(2)
    expect(app.metrics().droppedRecords).toEqual({ 'deserialization-error': 1, 'processing-error': 1 })
  })

  it('publishes every committed change to whoever watches', async () => {
    const app = await scene.run(wordCount, { commitInterval: '10ms' })
    await app.running
    const changes = firstValueFrom(app.store<string, number>('counts').changes$.pipe(take(2), toArray()))
    await produce('lines', [['a', 'x y']])
    expect((await changes).map(({ key, value }) => [key, value])).toEqual([
      ['x', 1],
      ['y', 1]
    ])
  })

  describe('refuses to start, before anything has run,', () => {
    it('what is no topology, and one that was not told where its topics are', async () => {
      const untyped: (...given: unknown[]) => Promise<StreamsApp> = runStreams as never
      await expect(untyped({}, { log: scene.log })).rejects.toThrow('its first argument is no topology')
      await expect(untyped(undefined, { log: scene.log })).rejects.toThrow('its first argument is no topology')
      await expect(untyped(wordCount)).rejects.toThrow("runStreams() of 'word-count' was not told where the topics are")
      await expect(untyped(wordCount, {})).rejects.toThrow('was not told where the topics are')
    })

    const copy = defineTopology('copy', (b) => b.stream('nowhere', { key: string(), value: string() }).to('out'))

    it('without a source topic that it may not create', async () => {
      await expect(scene.run(copy, { createTopics: false })).rejects.toThrow(MissingSourceTopicError)
    })

    it('when topics that are read together have different numbers of partitions', async () => {
      const merged = defineTopology('merged', (b) => {
        const left = b.stream('left', { key: string(), value: string() })
        left
          .merge(b.stream('right', { key: string(), value: string() }))
          .groupByKey()
          .count()
      })
      await scene.log.admin().createTopics([
        { name: 'left', partitions: 2 },
        { name: 'right', partitions: 3 }
      ])
      await expect(scene.run(merged)).rejects.toThrow(CopartitionError)
    })

    it('when an internal topic has another number of partitions', async () => {
      await scene.log.admin().createTopics([{ name: 'word-count-counts-changelog', partitions: 7 }])
      await expect(scene.run(wordCount)).rejects.toThrow(InternalTopicMismatchError)
    })
  })

  it('knows no store that the topology did not name', async () => {
    const app = await scene.run(wordCount)
    expect(() => app.store('other')).toThrow(UnknownStoreError)
  })

  it('shares the tasks of one application between two members, each task at one of them', async () => {
    const first = await scene.run(wordCount, { createTopics: { partitions: 4 }, commitInterval: '10ms' })
    await first.running
    const second = await scene.run(wordCount, { commitInterval: '10ms' })
    await second.running
    const words = Array.from({ length: 40 }, (_, i) => `word${i}`)
    await produce(
      'lines',
      words.map((word) => [word, word] as const)
    )
    const total = () => [first, second].reduce((sum, app) => sum + app.metrics().processedRecords, 0)
    // Either may be the one that commits last.
    await firstValueFrom(merge(first.metrics$, second.metrics$).pipe(filter(() => total() >= 80)))
    expect(first.metrics().processedRecords).toBeGreaterThan(0)
    expect(second.metrics().processedRecords).toBeGreaterThan(0)
  })
})
