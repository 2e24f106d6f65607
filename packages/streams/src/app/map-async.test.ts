import { type Environment, type Log, openLog } from '@millrace/log'
import { SeededRandom, SimulatedWorld } from '@millrace/log/testing'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { AsyncOrder } from '../graph/map-async-node.ts'
import type { Topology } from '../graph/topology.ts'
import { COMMIT_STEPS, type Trace } from '../observe/trace.ts'
import { string } from '../serde/string.ts'
import { FileEngine } from '../state/file-engine.ts'
import { ApplicationFailedError } from './errors.ts'
import { runStreams } from './run-streams.ts'

const text = { key: string(), value: string() }
const KEYS = ['a', 'b', 'c', 'd', 'e']

/** `count` records over the keys, in order: value `<key><number>`. */
async function produce(log: Log, count: number, partitions = 1): Promise<void> {
  const producer = log.producer()
  for (let i = 0; i < count; i++) {
    const key = KEYS[i % KEYS.length]
    producer.enqueue('in', KEYS.indexOf(key) % partitions, Buffer.from(key), Buffer.from(`${key}${i}`), i)
  }
  await producer.close()
}

/** Committed `[key, value]` of a topic's partitions, once there are `count`. */
async function committed(log: Log, topic: string, parts: { readonly count: number; readonly partitions?: number }) {
  const consumer = log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' })
  consumer.assign(Array.from({ length: parts.partitions ?? 1 }, (_, partition) => ({ topic, partition })))
  const found: [string, string][] = []
  while (found.length < parts.count) {
    for (const { batches } of await consumer.poll(1_000)) {
      for (const batch of batches) {
        for (const view = batch.records(); view.next(); ) {
          const part = (from: number, to: number) => view.buffer.toString('utf8', from, to)
          found.push([part(view.keyStart, view.keyEnd), part(view.valueStart, view.valueEnd)])
        }
      }
    }
  }
  await consumer.close()
  return found
}

/** Every result once, and of each key in the order of its records. */
function expectOnce(found: readonly (readonly [string, string])[], count: number): void {
  expect(found.length).toBe(count)
  for (const key of KEYS) {
    const expected = Array.from({ length: count }, (_, i) => i).filter((i) => KEYS[i % KEYS.length] === key)
    expect(found.filter(([other]) => other === key).map(([, value]) => value)).toEqual(
      expected.map((i) => `${key}${i}!`)
    )
  }
}

/** A service that takes up to 20 ms, and now and then fails. */
function lookUp(environment: Environment, random: SeededRandom) {
  return (value: string) =>
    new Promise<string>((resolve, reject) => {
      environment.timers.set(random.between(0, 20), () =>
        random.chance(0.1) ? reject(new TypeError('try again')) : resolve(`${value}!`)
      )
    })
}

function lookingUp(order: AsyncOrder, fn: (value: string) => Promise<string>): Topology {
  return defineTopology('looking-up', (b) => {
    const input = b.stream('in', text)
    input.groupByKey().count({ store: 'before', emit: 'changes' })
    const results = input.mapAsync(fn, {
      order,
      concurrency: 4,
      timeout: '1s',
      retry: { maxAttempts: 20, backoff: '2ms' },
      value: string()
    })
    results.to('out')
    results.groupByKey().count({ store: 'after', emit: 'changes' })
  })
}

describe('mapAsync on a log', () => {
  it('keeps the order of keys over instances that come and go, every result once', async () => {
    const log = await openLog('memory:')
    const partitions = 3
    for (const name of ['in', 'out']) await log.admin().ensureTopic({ name, partitions, configs: {} })
    const topology = lookingUp('key', lookUp(log.environment, new SeededRandom(1)))
    const options = { log, commitInterval: '15ms' } as const
    const first = await runStreams(topology, options)
    await first.running
    await produce(log, 300, partitions)
    await committed(log, 'out', { count: 20, partitions })
    // The first gives partitions away: what it has under way is done before, or not at all.
    const second = await runStreams(topology, options)
    await second.running
    await committed(log, 'out', { count: 100, partitions })
    await first.close()
    expectOnce(await committed(log, 'out', { count: 300, partitions }), 300)
    await second.close()
    await log.close()
  })

  it('finishes what is under way when the application is closed, and commits it', async () => {
    const log = await openLog('memory:')
    let answer = (): void => undefined
    const called = Promise.withResolvers<void>()
    const topology = defineTopology('closing', (b) => {
      b.stream('in', text)
        .mapAsync(
          async (value) => {
            await new Promise<void>((resolve) => {
              answer = resolve
              called.resolve()
            })
            return `${value}!`
          },
          { value: string() }
        )
        .to('out')
    })
    const app = await runStreams(topology, { log, commitInterval: '10s' })
    await app.running
    await produce(log, 1)
    await called.promise
    const closing = app.close()
    answer()
    await closing
    expect(await committed(log, 'out', { count: 1 })).toEqual([['a', 'a0!']])
    await log.close()
  })

  it('fails with the record whose call failed, aborts the others, and does it all again at the next start', async () => {
    const log = await openLog('memory:')
    const aborted: string[] = []
    let works = false
    const topology = defineTopology('failing', (b) => {
      b.stream('in', text)
        .mapAsync(
          (value, _record, { signal }) => {
            if (works) return `${value}!`
            if (value === 'b1') return Promise.reject(new TypeError('no b1'))
            signal.addEventListener('abort', () => aborted.push(value))
            return value === 'a0' ? `${value}!` : new Promise<string>(() => undefined)
          },
          { value: string() }
        )
        .to('out')
    })
    const app = await runStreams(topology, { log, commitInterval: '10s' })
    await app.running
    const failed = firstValueFrom(app.state$.pipe(filter(({ status }) => status === 'failed')))
    await produce(log, 4)
    await failed
    const error = await app.done.catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(ApplicationFailedError)
    expect(error).toMatchObject({ cause: { code: 'STREAMS_PROCESSING', node: 'in-mapAsync', offset: 1 } })
    expect(aborted).toEqual(['c2', 'd3'])
    works = true
    const again = await runStreams(topology, { log, commitInterval: '10ms' })
    expectOnce(await committed(log, 'out', { count: 4 }), 4)
    await again.close()
    await log.close()
  })

  it('fetches no further while as much is under way as may be', async () => {
    const log = await openLog('memory:')
    const calls: (() => void)[] = []
    const topology = defineTopology('slow', (b) => {
      b.stream('in', text)
        .mapAsync((value) => new Promise<string>((resolve) => calls.push(() => resolve(`${value}!`))), {
          concurrency: 2,
          value: string()
        })
        .to('out')
    })
    await produce(log, 10)
    const app = await runStreams(topology, { log, commitInterval: '1s' })
    await app.running
    const done = committed(log, 'out', { count: 20 })
    for (let answered = 0; answered < 20; ) {
      const call = calls.shift()
      expect(calls.length).toBeLessThan(2)
      if (call === undefined) await new Promise((resolve) => setImmediate(resolve))
      else {
        call()
        if (++answered === 5) await produce(log, 10)
      }
    }
    expect((await done).length).toBe(20)
    await app.close()
    await log.close()
  })
})

describe('mapAsync in a process that is killed', () => {
  const COUNT = 60
  const SEEDS = Array.from({ length: 12 }, (_, seed) => seed)

  /** One life of log, application and reader; its stores' contents once all results are there. */
  async function live(environment: Environment, order: AsyncOrder, parts: { random: SeededRandom; trace: Trace }) {
    const log = await openLog({
      dir: '/data',
      environment,
      broker: { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 },
      onEvent: () => undefined
    })
    const admin = log.admin()
    const isNew = !(await admin.listTopics()).some(({ name }) => name === 'out')
    for (const name of ['in', 'out']) await admin.ensureTopic({ name, partitions: 1, configs: {} })
    const ends = log.consumer()
    const [written = 0] = (await ends.endOffsets([{ topic: 'in', partition: 0 }])).values()
    await ends.close()
    if (isNew || written === 0) await produce(log, COUNT)
    const app = await runStreams(lookingUp(order, lookUp(environment, parts.random)), {
      log,
      engine: (path, where) => FileEngine.open(path, where),
      commitInterval: 10,
      trace: parts.trace
    })
    // A dead machine is no news.
    app.done.catch(() => undefined)
    const results = await committed(log, 'out', { count: COUNT })
    await app.close()
    // Whatever came after them would be one too many.
    const [end = 0] = (await log.consumer().endOffsets([{ topic: 'out', partition: 0 }])).values()
    const again = await runStreams(lookingUp(order, lookUp(environment, parts.random)), {
      log,
      engine: (path, where) => FileEngine.open(path, where)
    })
    const counts: Record<string, (number | undefined)[]> = {}
    for (const store of ['before', 'after'])
      counts[store] = await Promise.all(KEYS.map((key) => again.store<string, number>(store).get(key)))
    await again.close()
    await log.close()
    return { results, counts, end }
  }

  for (const order of ['partition', 'key'] as const) {
    it.each(SEEDS)(
      `gives every result once, in the order of the ${order}, wherever it is killed: seed %i`,
      async (seed) => {
        const world = new SimulatedWorld({ seed })
        const machine = world.machine('m')
        const { random } = world
        for (let life = 0; ; life++) {
          const environment = machine.restart()
          const died = Promise.withResolvers<'killed'>()
          const die = () => {
            if (random.chance(0.5)) machine.kill()
            else machine.powerCut()
            died.resolve('killed')
          }
          // Every step of the commit in turn, and instants between them.
          const [step, passes] = [COMMIT_STEPS[(seed + life) % COMMIT_STEPS.length], random.below(4)]
          let passed = 0
          const last = life === 4
          const atStep = !last && random.chance(0.7)
          if (!last && !atStep) environment.timers.set(random.between(1, 150), die, { background: true })
          const trace: Trace = (reached) => {
            if (atStep && reached === step && passed++ === passes) die()
          }
          const ended = live(environment, order, { random: random.split('life'), trace })
          ended.catch(() => undefined)
          const outcome = await world.run(Promise.race([died.promise, ended]), 300_000)
          if (outcome === 'killed') continue
          if (order === 'partition') {
            expect(outcome.results.map(([, value]) => value)).toEqual(
              Array.from({ length: COUNT }, (_, i) => `${KEYS[i % KEYS.length]}${i}!`)
            )
          }
          expectOnce(outcome.results, COUNT)
          const each = KEYS.map(() => COUNT / KEYS.length)
          expect(outcome.counts).toEqual({ before: each, after: each })
          break
        }
      }
    )
  }
})
