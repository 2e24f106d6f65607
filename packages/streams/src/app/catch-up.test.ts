import { UsageError } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { appFixture } from './app-fixture.ts'
import { CatchUp, topicRounds } from './catch-up.ts'
import { ApplicationFailedError } from './errors.ts'
import { runStreams } from './run-streams.ts'

const scene = appFixture()

const TEXT = { key: string(), value: string() }

/** Words of lines, counted: through one internal topic; and how many words there are of each count: through another. */
const countsOfCounts = defineTopology('counts-of-counts', (b) => {
  b.stream('lines', TEXT)
    .flatMapValues((line) => line.split(' '), { value: string() })
    .groupBy((word) => word)
    .count({ store: 'counts' })
    .groupBy((count) => String(count), { name: 'by-count' })
    .count({ store: 'counts-of-counts' })
    .toStream()
    .to('out', { value: long() })
})

const justLines = defineTopology('just-lines', (b) => {
  b.stream('lines', TEXT).to('out')
})

async function produce(topic: string, values: readonly string[], partition = 0): Promise<void> {
  const producer = scene.log.producer()
  for (const value of values) producer.enqueue(topic, partition, null, Buffer.from(value), 0)
  await producer.flush()
  await producer.close()
}

/** The same object but for some methods. */
function overridden<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const found: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name)
      return typeof found === 'function' ? found.bind(target) : found
    }
  })
}

describe('topicRounds', () => {
  it('puts each internal topic behind all that its records come through', () => {
    expect(topicRounds(countsOfCounts)).toEqual([
      ['lines'],
      ['counts-of-counts-lines-groupBy-repartition'],
      ['counts-of-counts-by-count-repartition']
    ])
  })

  it('knows that a foreign-key join is two topics away', () => {
    const joined = defineTopology('joined', (b) => {
      const left = b.table('left', { ...TEXT, store: 'left' })
      const right = b.table('right', { ...TEXT, store: 'right' })
      left
        .join(right, (one, other) => `${one}${other}`, { foreignKey: (value) => value, value: string() })
        .toStream()
        .to('out')
    })
    const [outside, ...internal] = topicRounds(joined)
    expect(outside).toEqual(['left', 'right'])
    expect(internal.map((topics) => topics.length)).toEqual([1, 1])
  })
})

describe('an instance of several', () => {
  const partitions = [0, 1].map((index) => ({ index, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] }))
  const inputs = [{ topic: 'lines', partition: 1 }]
  const reading = (consumed: number) => ({
    inputs,
    consumedOffsets: () => inputs.map((input) => ({ ...input, offset: consumed }))
  })

  function catchUp(wake: () => void): CatchUp {
    return new CatchUp({
      admin: {
        describeTopics: async (names) => new Map(names.map((name) => [name, { name, topicId: 'id', partitions }])),
        listOffsets: async (queries) =>
          new Map(
            queries.map(({ topic, partition }) => [
              `${topic}-${partition}`,
              { offset: 10, timestampMs: -1, leaderEpoch: 0 }
            ])
          )
      },
      topology: () => justLines,
      wake
    })
  }

  it('answers for the tasks that it has', async () => {
    const asked = Promise.withResolvers<void>()
    const of = catchUp(asked.resolve)
    const caughtUp = of.caughtUp()
    await asked.promise
    let isThere = false
    caughtUp.then(() => {
      isThere = true
    })
    of.settled([{ inputs, consumedOffsets: () => [] }])
    of.settled([reading(9)])
    await Promise.resolve()
    expect(isThere).toBe(false)
    of.settled([reading(10)])
    await caughtUp
  })

  it('answers at once when it has none', async () => {
    const asked = Promise.withResolvers<void>()
    const of = catchUp(asked.resolve)
    const caughtUp = of.caughtUp()
    await asked.promise
    of.settled([])
    await caughtUp
  })
})

describe('caughtUp', () => {
  it('resolves when what was in the topics is in the stores, behind internal topics too', async () => {
    const app = await scene.run(countsOfCounts)
    await produce('lines', ['a b c', 'a b', 'a'])
    await app.caughtUp()
    expect(await app.store<string, number>('counts').get('a')).toBe(3)
    const last = app.store<string, number>('counts-of-counts')
    expect(await Promise.all(['1', '2', '3'].map((count) => last.get(count)))).toEqual([1, 1, 1])
  })

  it('resolves with nothing to do, again and again, and for many at once', async () => {
    const app = await scene.run(countsOfCounts)
    await Promise.all([app.caughtUp(), app.caughtUp()])
    await produce('lines', ['x'])
    await app.caughtUp()
    await app.caughtUp()
    expect(await app.store<string, number>('counts').get('x')).toBe(1)
  })

  it('passes markers and records of aborted transactions, and waits for a transaction that is open', async () => {
    const app = await scene.run(countsOfCounts)
    const producer = scene.log.producer({ transactionalId: 'upstream' })
    await producer.initTransactions()
    const write = async (value: string) => {
      producer.beginTransaction()
      producer.enqueue('lines', 0, null, Buffer.from(value), 0)
      await producer.flush()
    }
    await write('gone')
    await producer.abortTransaction()
    await app.caughtUp()
    await write('here')
    let isThere = false
    const caughtUp = app.caughtUp().then(() => {
      isThere = true
    })
    await app.running
    expect(isThere).toBe(false)
    await producer.commitTransaction()
    await caughtUp
    const counts = app.store<string, number>('counts')
    expect([await counts.get('here'), await counts.get('gone')]).toEqual([1, undefined])
    await producer.close()
  })

  it('waits for global tables', async () => {
    const looked = defineTopology('looked', (b) => {
      const names = b.globalTable('names', { ...TEXT, store: 'names' })
      b.stream('lines', TEXT)
        .join(names, (line, name) => `${line}${name}`, { key: (line) => line, value: string() })
        .to('out')
    })
    const app = await scene.run(looked)
    const producer = scene.log.producer()
    producer.enqueue('names', 0, Buffer.from('k'), Buffer.from('name'), 0)
    await producer.flush()
    await producer.close()
    await app.caughtUp()
    expect(await app.store<string, string>('names').get('k')).toBe('name')
  })

  it('fails with what ended the application, at once and later', async () => {
    const failing = defineTopology('failing', (b) => {
      b.stream('lines', TEXT)
        .mapValues((line) => JSON.parse(line) as string, { value: string() })
        .to('out')
    })
    const app = await scene.run(failing)
    app.done.catch(() => undefined)
    await produce('lines', ['no json'])
    await expect(app.caughtUp()).rejects.toThrow(ApplicationFailedError)
    await expect(app.caughtUp()).rejects.toThrow(ApplicationFailedError)
  })

  it('says that the application is closed, not that its clients are, when the log fails what is under way', async () => {
    const { log } = scene
    const asked = Promise.withResolvers<void>()
    const lost = Promise.withResolvers<never>()
    const admin = overridden(log.admin(), {
      listOffsets: () => {
        asked.resolve()
        return lost.promise
      },
      close: () => {
        lost.reject(new UsageError('the log is closed'))
        return new Promise((resolve) => setImmediate(resolve))
      }
    })
    const app = await runStreams(justLines, { log: overridden(log, { admin: () => admin }) })
    const waiting = expect(app.caughtUp()).rejects.toThrow('application just-lines is closed')
    await asked.promise
    await app.close()
    await waiting
  })

  it('fails when the application is closed', async () => {
    const app = await scene.run(countsOfCounts)
    const producer = scene.log.producer({ transactionalId: 'upstream' })
    await producer.initTransactions()
    producer.beginTransaction()
    producer.enqueue('lines', 0, null, Buffer.from('open'), 0)
    await producer.flush()
    const waiting = expect(app.caughtUp()).rejects.toThrow('application counts-of-counts is closed')
    await app.close()
    await waiting
    await expect(app.caughtUp()).rejects.toThrow('application counts-of-counts is closed')
    await producer.abortTransaction()
    await producer.close()
  })
})
