import { type Log, memoryEnvironment, openLog } from '@millrace/log'
import { json } from '@millrace/streams'
import { firstValueFrom, take, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineSink, defineSource, type EasyRecord } from '../define.ts'
import { PoisonousRecordError, TransientSinkError, TransientSourceError } from '../errors.ts'
import type { SinkRecord } from '../sink.ts'
import { ConnectErrorHeader, errorHeader } from './dead-letters.ts'
import { deadLetter } from './policy.ts'
import { type ReadRecord, readToEnd } from './read-topic.ts'
import { type ConnectorsApp, type RunConnectorsOptions, runConnectors } from './run-connectors.ts'
import { filterRecords, mapValue, route } from './transforms/record-transforms.ts'

const fast = { backoff: { firstMs: 5, maxMs: 20 } }
let log: Log
const apps: ConnectorsApp[] = []
beforeEach(async () => {
  log = await openLog({ environment: memoryEnvironment() })
})
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
  await log.close()
})

async function run(connectors: RunConnectorsOptions['connectors']): Promise<ConnectorsApp> {
  const app = await runConnectors({ log, connectors })
  apps.push(app)
  return app
}

async function contents(topic: string, partitions = [0]): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  for await (const page of readToEnd(log, { topic, partitions })) records.push(...page.records)
  return records
}
const texts = async (topic: string) => (await contents(topic)).map(({ value }) => String(value))

/** Numbers up to an end, one a batch. */
const numbers = (name: string, end: number) =>
  defineSource<number>(name, async function* ({ position = 0 }) {
    for (let n = position; n < end; n++)
      yield { records: [{ topic: 'numbers', key: `${n}`, value: { n } }], position: n + 1 }
  })

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const producer = log.producer()
  await log.admin().ensureTopic({ name: topic, partitions: 1 })
  for (const value of values) producer.enqueue(topic, 0, Buffer.from(value), Buffer.from(value), 1)
  await producer.flush()
  await producer.close()
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a source', () => {
  it('brings its records in, ends, and goes on from its position', async () => {
    const app = await run([{ source: numbers('count', 5) }])
    await app.done
    expect(await texts('numbers')).toEqual([0, 1, 2, 3, 4].map((n) => `{"n":${n}}`))
    await app.close()
    await (await run([{ source: numbers('count', 7) }])).done
    expect(await texts('numbers')).toHaveLength(7)
    expect((await contents('connect-offsets', [0, 1, 2, 3, 4])).map(({ key, value }) => `${key} ${value}`)).toContain(
      '["count",""] 7'
    )
  })

  it('applies transforms, and puts aside what they cannot take', async () => {
    const source = numbers('count', 6)
    const transforms = [
      filterRecords(({ key }) => String(key) !== '1'),
      mapValue(json<{ n: number }>(), ({ n }) => {
        if (n === 4) throw new RangeError('four is too much')
        return { n: n * 10 }
      }),
      route(/num(.*)/, 'tens-$1')
    ]
    const app = await run([{ source, transforms, onError: deadLetter('dead') }])
    await app.done
    expect(await texts('tens-bers')).toEqual([0, 20, 30, 50].map((n) => `{"n":${n}}`))
    const [letter] = await contents('dead')
    expect([String(letter.key), String(letter.value)]).toEqual(['4', '{"n":4}'])
    expect(errorHeader(letter.headers, ConnectErrorHeader.stage)).toBe('TRANSFORMATION')
    expect(errorHeader(letter.headers, ConnectErrorHeader.message)).toContain('four is too much')
    expect(app.connector('count').metrics()['task-error']).toMatchObject({ 'deadletterqueue-produce-requests': 1 })
  })

  it('is paused, stopped and resumed, and remembers it on the log', async () => {
    let n = 0
    const endless = defineSource<number>('endless', async function* ({ signal, sleep }) {
      while (!signal.aborted) {
        yield { records: [{ topic: 'ticks', value: n++ }], position: n }
        await sleep(1)
      }
    })
    const app = await run([{ source: endless, commitInterval: 5 }])
    const connector = app.connector('endless')
    await until(() => n > 3)
    await connector.pause()
    expect(connector.state.status).toBe('paused')
    await until(() => connector.health().activeRecords <= 1)
    await app.close()
    const again = await run([{ source: endless, commitInterval: 5 }])
    await until(() => again.connector('endless').state.status === 'paused')
    await again.connector('endless').stop()
    expect(again.connector('endless').state.status).toBe('stopped')
    const before = n
    await again.connector('endless').resume()
    await until(() => n > before && again.connector('endless').state.status === 'running')
  })

  it('fails at once of a record that can never be written, and says which', async () => {
    const giving = (name: string, record: EasyRecord) =>
      defineSource<number>(name, async function* () {
        yield { records: [record], position: 1 }
      })
    const app = await run([
      { source: giving('elsewhere', { topic: 'one', partition: 7, value: 1 }), topics: { partitions: 2 } },
      { source: giving('nothing', { topic: 'one', value: JSON.parse('{}').missing }) },
      { source: giving('large', { topic: 'one', value: { n: JSON.parse('{"n":[]}').n.concat([1n]) } }) }
    ])
    await expect(app.connector('elsewhere').done).rejects.toMatchObject({ cause: { partition: 7, partitions: 2 } })
    await expect(app.connector('nothing').done).rejects.toThrow('a record for one has undefined as its value')
    await expect(app.connector('large').done).rejects.toThrow('a record for one has object as its value')
  })

  it('can be paused while the outer system is away', async () => {
    const away = defineSource<number>({
      name: 'away',
      open: async () => {
        throw new TransientSourceError('it is away')
      }
    })
    const app = await run([{ source: away, backoff: { firstMs: 3_600_000, maxMs: 3_600_000 } }])
    await until(() => app.connector('away').state.status === 'restarting')
    await app.connector('away').pause()
    expect(['starting', 'restarting']).toContain(app.connector('away').state.status)
  })

  it('is stalled when its first commit does not end', async () => {
    const stuck = Promise.withResolvers<void>()
    const app = await runConnectors({
      log,
      connectors: [{ source: numbers('count', 1), stalledAfter: 20 }],
      trace: (step) => (step === 'source:records-written' ? stuck.promise : undefined)
    })
    apps.push(app)
    // Where opening it took longer, it was stalled before it read.
    await until(() => app.connector('count').health().activeRecords === 1)
    await until(() => app.connector('count').health().progress === 'stalled')
    expect(app.connector('count').health()).toMatchObject({ healthy: false, activeRecords: 1 })
    stuck.resolve()
    await app.done
    expect(app.connector('count').health()).toMatchObject({ healthy: true, activeRecords: 0 })
  })

  it('restarts after passing failures, and fails at once of what stays', async () => {
    let opened = 0
    const flaky = defineSource<number>({
      name: 'flaky',
      open: async () => {
        if (++opened < 3) throw Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' })
        if (opened === 3) return numbers('x', 2).open(new Map(), contextOf())
        throw new RangeError('a defect')
      }
    })
    const app = await run([{ source: flaky, ...fast, crashes: { count: 2, within: '1m' } }])
    const states = firstValueFrom(app.connector('flaky').state$.pipe(take(6), toArray()))
    await app.done
    expect((await states).map(({ status }) => status)).toEqual([
      'starting',
      'restarting',
      'starting',
      'restarting',
      'starting',
      'running'
    ])
    await app.connector('flaky').restart()
    await until(() => app.connector('flaky').state.status === 'failed')
    expect(opened).toBe(6)
    expect(app.connector('flaky').health()).toMatchObject({ healthy: false, lastFailure: { outcome: 'failed' } })
  })

  // The heir may come at any instant of the zombie's transactions.
  it.each(Array.from({ length: 12 }, (_, i) => i))('fences a zombie of its name (%i)', async () => {
    const slow = (n: number) =>
      defineSource<number>('one', async function* ({ position = 0, sleep, signal }) {
        for (let at = position; !signal.aborted; at++) {
          yield { records: [{ topic: 'one', value: `${n}:${at}` }], position: at + 1 }
          await sleep(2)
        }
      })
    const zombie = await run([{ source: slow(1), commitInterval: 2 }])
    await until(() => zombie.connector('one').health().lastCommitAtMs !== undefined)
    const heir = await run([{ source: slow(2), commitInterval: 2 }])
    await until(() => zombie.connector('one').state.status === 'fenced')
    await until(() => heir.connector('one').health().lastCommitAtMs !== undefined)
    expect(heir.connector('one').state.status).toBe('running')
    await heir.close()
    const order = (await texts('one')).map((text) => Number(text.split(':')[1]))
    expect(order).toEqual(order.map((_, i) => i))
  })
})

function contextOf() {
  return {
    signal: new AbortController().signal,
    environment: log.environment,
    state: { get: () => undefined, set: () => {}, scan: async function* () {} },
    report: () => {}
  }
}

describe('a sink', () => {
  it('gets every record once, in order, and goes on behind it', async () => {
    const got: string[] = []
    const sink = defineSink('collect', (batch) => {
      got.push(...batch.map(({ value }) => String(value)))
    })
    await produce('in', ['a', 'b', 'c'])
    const app = await run([{ sink, topics: ['in'] }])
    await until(() => got.length === 3)
    await produce('in', ['d'])
    await until(() => got.length === 4)
    await app.close()
    await produce('in', ['e'])
    await run([{ sink, topics: ['in'] }])
    await until(() => got.length === 5)
    expect(got).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('reads topics that match a pattern, also those made later', async () => {
    const got: string[] = []
    const sink = defineSink('matching', (batch) => {
      got.push(...batch.map(({ topic, routedTo, value }) => `${topic} ${routedTo} ${value}`))
    })
    await produce('in-1', ['a'])
    await run([{ sink, topics: /^in-/, topicRefresh: 50, transforms: [route(/in-(.*)/, 'table_$1')] }])
    await until(() => got.length === 1)
    await produce('in-2', ['b'])
    await until(() => got.length === 2)
    expect(got).toEqual(['in-1 table_1 a', 'in-2 table_2 b'])
  })

  it('finds the one bad record, and puts it aside with what it was', async () => {
    const got: string[] = []
    let writes = 0
    const sink = defineSink('picky', (batch) => {
      writes++
      if (batch.some(({ value }) => String(value) === 'bad')) throw new RangeError('no bad ones')
      got.push(...batch.map(({ value }) => String(value)))
    })
    const values = Array.from({ length: 64 }, (_, i) => (i === 37 ? 'bad' : `${i}`))
    await produce('in', values)
    const app = await run([{ sink, topics: ['in'], onError: deadLetter('dead'), batchRecords: 64 }])
    await until(() => got.length === 63)
    expect(got).toEqual(values.filter((value) => value !== 'bad'))
    expect(writes).toBeLessThanOrEqual(2 * 6 + 1)
    await until(() => app.connector('picky').health().activeRecords === 0)
    const letters = await contents('dead')
    expect(letters.map(({ value }) => String(value))).toEqual(['bad'])
    expect(errorHeader(letters[0].headers, ConnectErrorHeader.offset)).toBe('37')
    expect(errorHeader(letters[0].headers, ConnectErrorHeader.exception)).toBe('RangeError')
  })

  it('stops before a bad record by default, with everything before it delivered', async () => {
    const got: string[] = []
    const sink = defineSink('strict', (batch) => {
      const bad = batch.find(({ value }) => String(value) === 'bad')
      if (bad !== undefined) throw new PoisonousRecordError(bad, 'it is bad')
      got.push(...batch.map(({ value }) => String(value)))
    })
    await produce('in', ['a', 'b', 'bad', 'c'])
    const app = await run([{ sink, topics: ['in'] }])
    await expect(app.done).rejects.toMatchObject({ code: 'CONNECTORS_FAILED', cause: { offset: 2 } })
    expect(got).toEqual(['a', 'b'])
  })

  it('puts no more records aside when they fail for an unknown reason one after the other, whatever lives it has', async () => {
    let refuses = true
    let got = 0
    const sink = defineSink('unwell', (batch) => {
      if (refuses) throw new RangeError('something is wrong')
      got += batch.length
    })
    await produce(
      'in',
      Array.from({ length: 50 }, (_, i) => `${i}`)
    )
    const app = await run([{ sink, topics: ['in'], onError: deadLetter('dead'), batchRecords: 5, ...fast }])
    await expect(app.done).rejects.toMatchObject({ cause: { cause: { code: 'CONNECTORS_REFUSALS_IN_A_ROW' } } })
    expect(await contents('dead')).toHaveLength(20)
    refuses = false
    await app.connector('unwell').restart()
    await until(() => got === 30)
  })

  it('never reads its own dead letters, nor the topics of the runtime', async () => {
    const topics = new Set<string>()
    const sink = defineSink('all', (batch) => {
      for (const record of batch) {
        topics.add(record.topic)
        throw new PoisonousRecordError(record, 'it is bad')
      }
    })
    await produce('in', ['a'])
    await produce('in-dlq', ['of somebody else'])
    const options = { onError: deadLetter('all-dlq'), topicRefresh: 20, ...fast }
    const app = await run([{ sink, topics: /./g, ...options }])
    await until(() => app.connector('all').metrics()['task-error']['deadletterqueue-produce-requests'] === 2)
    await produce('in-late', ['b'])
    await until(() => app.connector('all').metrics()['task-error']['deadletterqueue-produce-requests'] === 3)
    expect([...topics].sort()).toEqual(['in', 'in-dlq', 'in-late'])
    await expect(run([{ sink, topics: ['in', 'all-dlq'], ...options }])).rejects.toThrow(/own dead letters/)
    await expect(run([{ sink, topics: [] }])).rejects.toThrow(/name one/)
  })

  it('lingers no longer than until a batch is full', async () => {
    const sizes: number[] = []
    const sink = defineSink('patient', (batch) => {
      sizes.push(batch.length)
    })
    await produce(
      'in',
      Array.from({ length: 30 }, (_, i) => `${i}`)
    )
    await run([{ sink, topics: ['in'], batchRecords: 10, linger: '1d' }])
    await until(() => sizes.length === 3)
    expect(sizes).toEqual([10, 10, 10])
  })

  it('waits for a target that is away, holding a bounded number of records, and delivers them all', async () => {
    const got = new Set<string>()
    let away = true
    let writes = 0
    const sink = defineSink('away', (batch: readonly SinkRecord[]) => {
      writes++
      if (away) throw new TransientSinkError('it is away')
      for (const { value } of batch) got.add(String(value))
    })
    await produce(
      'in',
      Array.from({ length: 5000 }, (_, i) => `${i}`)
    )
    const app = await run([{ sink, topics: ['in'], batchRecords: 10, ...fast, stalledAfter: 30 }])
    const connector = app.connector('away')
    await until(() => writes > 4 && connector.health().progress === 'stalled')
    expect(connector.health()).toMatchObject({ healthy: false, lastFailure: { outcome: 'retried' } })
    expect(connector.metrics()['sink-task']?.['sink-record-lag-max']).toBeGreaterThan(0)
    away = false
    await until(() => got.size === 5000 && connector.health().healthy)
  })

  it('shares its partitions with other runners of its name', async () => {
    const got = new Map<string, Set<string>>()
    const collector = (who: string) =>
      defineSink('shared', (batch) => {
        const own = got.get(who) ?? new Set()
        got.set(who, own)
        for (const { partition, value } of batch) own.add(`${partition} ${value}`)
      })
    await log.admin().ensureTopic({ name: 'in', partitions: 4 })
    const first = await run([{ sink: collector('first'), topics: ['in'] }])
    await until(() => first.connector('shared').metrics()['sink-task']?.['partition-count'] === 4)
    const second = await run([{ sink: collector('second'), topics: ['in'] }])
    await until(() => second.connector('shared').metrics()['sink-task']?.['partition-count'] === 2)
    const producer = log.producer()
    for (let i = 0; i < 40; i++) producer.enqueue('in', i % 4, null, Buffer.from(`${i}`), 1)
    await producer.flush()
    const all = () => new Set([...(got.get('first') ?? []), ...(got.get('second') ?? [])])
    await until(() => all().size === 40)
    expect([got.get('first')?.size, got.get('second')?.size]).toEqual([20, 20])
    await producer.close()
  })
})
