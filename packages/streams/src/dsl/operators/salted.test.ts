import { type Environment, openLog } from '@millrace/log'
import { SimulatedWorld } from '@millrace/log/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runStreams } from '../../app/run-streams.ts'
import { formatTopology } from '../../graph/describe.ts'
import type { Topology } from '../../graph/topology.ts'
import { COMMIT_STEPS, type Trace } from '../../observe/trace.ts'
import { nullable } from '../../serde/custom.ts'
import { json } from '../../serde/json.ts'
import { number } from '../../serde/number.ts'
import { string } from '../../serde/string.ts'
import { FileEngine } from '../../state/file-engine.ts'
import { skip } from '../../task/error-policy.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'
import type { KGroupedStream } from '../k-grouped-stream.ts'
import type { SaltedKStream } from '../salted-k-stream.ts'
import { hopping, sessions, tumbling } from '../windows.ts'

const input = { key: string(), value: number() }
const bounds = json<{ least: number; most: number; many: number }>()
const nothing = () => ({ least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY, many: 0 })
const extend = (value: number, { least, most, many }: ReturnType<typeof nothing>) => ({
  least: Math.min(least, value),
  most: Math.max(most, value),
  many: many + 1
})
const unite = (left: ReturnType<typeof nothing>, right: ReturnType<typeof nothing>) => ({
  least: Math.min(left.least, right.least),
  most: Math.max(left.most, right.most),
  many: left.many + right.many
})
const windows = [
  tumbling({ size: 10, grace: 1_000 }),
  hopping({ size: 10, advance: 4, grace: 1_000 }),
  hopping({ size: 9, advance: 3, grace: 1_000 })
]

/** Every aggregation that a salted grouping offers, with `salt` or without. */
const all = (salt: number | undefined): Topology =>
  defineTopology('all', (b) => {
    const stream = b.stream('in', input)
    if (salt === undefined) {
      const plain: KGroupedStream<string, number> = stream.groupBy((value): string => `k${value % 3}`)
      plain.count({ store: 'count' })
      plain.reduce((value, sum) => value + sum, { store: 'reduce' })
      plain.aggregate(nothing, extend, { value: bounds, store: 'aggregate' })
      windows.forEach((window, i) => {
        const windowed = plain.windowedBy(window)
        windowed.count({ store: `count-${i}` })
        windowed.reduce((value, sum) => value + sum, { store: `reduce-${i}` })
        windowed.aggregate(nothing, extend, { value: bounds, store: `aggregate-${i}` })
      })
      stream.groupByKey().count({ store: 'by-key' })
      return
    }
    const group = (name: string): SaltedKStream<string, number> =>
      stream.groupBy((value): string => `k${value % 3}`, { salt, name })
    group('a').count({ store: 'count' })
    group('b').reduce((value, sum) => value + sum, { store: 'reduce', commutative: true })
    group('c').aggregate(nothing, extend, unite, { value: bounds, store: 'aggregate' })
    windows.forEach((window, i) => {
      group(`d${i}`)
        .windowedBy(window)
        .count({ store: `count-${i}` })
      group(`e${i}`)
        .windowedBy(window)
        .reduce((value, sum) => value + sum, { store: `reduce-${i}`, commutative: true })
      group(`f${i}`)
        .windowedBy(window)
        .aggregate(nothing, extend, unite, { value: bounds, store: `aggregate-${i}` })
    })
    stream.groupByKey({ salt, name: 'g' }).count({ store: 'by-key' })
  })

const stores = [
  'count',
  'reduce',
  'aggregate',
  'by-key',
  ...windows.flatMap((_, i) => [`count-${i}`, `reduce-${i}`, `aggregate-${i}`])
]

interface Given {
  readonly key: string
  readonly value: number
  readonly timestamp: number
}

async function tables(topology: Topology, records: readonly Given[]): Promise<unknown> {
  const driver = await TopologyTestDriver.open(topology)
  const topic = driver.input<string, number>('in')
  for (const { key, value, timestamp } of records) await topic.pipe(key, value, timestamp)
  const found = Object.fromEntries(
    await Promise.all(stores.map(async (store) => [store, await driver.store(store).all()] as const))
  )
  await driver.close()
  return found
}

describe('a salted grouping', () => {
  it('has the tables of the one without salt, windows and timestamps included', async () => {
    const record = fc.record({
      key: fc.constantFrom('x', 'y'),
      value: fc.integer({ min: 0, max: 9 }),
      timestamp: fc.integer({ min: 0, max: 60 })
    })
    const plain = all(undefined)
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 25 }), fc.constantFrom(1, 2, 7), async (records, salt) => {
        expect(await tables(all(salt), records)).toEqual(await tables(plain, records))
      }),
      { numRuns: 25 }
    )
  })

  it('leaves no trace of a record that is skipped, whatever it had been combined with', async () => {
    const topology = defineTopology('skipping', (b) => {
      const salted = b.stream('in', input).groupBy(() => 'all', { salt: 1 })
      salted.count({ store: 'count' })
      salted.aggregate(
        () => 0,
        (value, sum) => {
          if (value === 13) throw new RangeError('unlucky')
          return value + sum
        },
        (left, right) => left + right,
        { value: number(), store: 'sum' }
      )
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    for (const value of [2, 13, 3]) await driver.input<string, number>('in').pipe('k', value, 0)
    expect(driver.store<string, number>('sum').get('all')?.value).toBe(2 + 3)
    expect(driver.store<string, number>('count').get('all')?.value).toBe(2)
    await driver.close()
  })

  it('drops null keys, null values without windows, and what is late in the place it came to', async () => {
    const topology = defineTopology('dropping', (b) => {
      const stream = b.stream('in', { key: nullable(string()), value: nullable(number()) })
      stream.groupByKey({ salt: 4, name: 'a' }).count({ store: 'plain' })
      stream
        .groupByKey({ salt: 1, name: 'b' })
        .windowedBy(tumbling({ size: 10, grace: 5 }))
        .count({ store: 'windowed' })
    })
    const driver = await TopologyTestDriver.open(topology)
    const topic = driver.input<string | null, number | null>('in')
    await topic.pipe(null, 1, 0)
    await topic.pipe('k', null, 1)
    await topic.pipe('k', 1, 14)
    await topic.pipe('k', 1, 9)
    await topic.pipe('k', 1, 15)
    await topic.pipe('k', 1, 9)
    expect(driver.store('plain').get('k')?.value).toBe(4)
    expect(driver.store('windowed').get('k', 0)?.value).toBe(2)
    expect(driver.dropped('null-key')).toBe(2)
    expect(driver.dropped('null-value')).toBe(1)
    expect(driver.dropped('late')).toBe(1)
    await driver.close()
  })

  it('shows both of its stages, and names them as the program does', () => {
    const topology = defineTopology('shown', (b) => {
      b.stream('clicks', input)
        .groupBy(() => 'all', { salt: 8 })
        .windowedBy(tumbling({ size: '1m' }))
        .count({ store: 'counts' })
    })
    expect(formatTopology(topology)).toBe(`shown
  sub-topology 0
    clicks-source: source clicks (string, number) -> clicks-groupBy
    clicks-groupBy: selectKey -> clicks-groupBy-salted-repartition
    clicks-groupBy-salted-repartition: repartition clicks-groupBy-salted-repartition (salted(string), number)
  sub-topology 1
    clicks-groupBy-salted-repartition-source: source clicks-groupBy-salted-repartition (salted(string), number) -> clicks-groupBy-salted-tumbling-1m-count
    clicks-groupBy-salted-tumbling-1m-count: combine count of 8 salts, until the commit -> clicks-groupBy-salted-tumbling-1m-count-repartition
    clicks-groupBy-salted-tumbling-1m-count-repartition: repartition clicks-groupBy-salted-tumbling-1m-count-repartition (string, long)
  sub-topology 2
    clicks-groupBy-salted-tumbling-1m-count-repartition-source: source clicks-groupBy-salted-tumbling-1m-count-repartition (string, long) -> counts-tumbling-1m-count
    counts-tumbling-1m-count: aggregate tumbling 1m grace 1d in counts, emits commit
`)
  })

  it('is refused where results would depend on it', () => {
    const refused = (define: (salted: SaltedKStream<string, number>) => void) => () =>
      defineTopology('refused', (b) => define(b.stream('in', input).groupByKey({ salt: 2 })))
    // @ts-expect-error the order of values may matter
    expect(refused((salted) => salted.reduce((value) => value, {}))).toThrow(
      "the salted grouping after 'in-groupByKey-salted-repartition' reduces values in another order"
    )
    // @ts-expect-error and nothing says that it does not
    expect(refused((salted) => salted.reduce((value) => value))).toThrow('say { commutative: true } where it may')
    // @ts-expect-error a merger is missing
    expect(refused((salted) => salted.aggregate(nothing, extend, { value: bounds }))).toThrow('give a merger')
    const final = { emit: 'final' } as const
    // @ts-expect-error no window is known to be complete
    expect(refused((salted) => salted.windowedBy(tumbling({ size: 1 })).count(final))).toThrow("emits 'final'")
    const sessioned = sessions({ gap: 1 })
    // @ts-expect-error sessions of several places are not sessions
    expect(refused((salted) => salted.windowedBy(sessioned).count())).toThrow('tumbling or hopping')
    // @ts-expect-error it has no cogroup
    expect(refused((salted) => salted.cogroup)).not.toThrow()
    const wrong = (salt: number) => () => defineTopology('t', (b) => void b.stream('in', input).groupByKey({ salt }))
    for (const salt of [0, 1.5, 70_000]) expect(wrong(salt)).toThrow(`groupByKey with salt ${salt}`)
  })

  it('refuses to delete', async () => {
    const topology = defineTopology('deleting', (b) => {
      b.stream('in', input)
        .groupByKey({ salt: 2 })
        .aggregate<{ sum: number }>(
          () => ({ sum: 0 }),
          // @ts-expect-error null would be a deletion
          () => null,
          (left) => left,
          { value: json(), store: 'sums' }
        )
    })
    const driver = await TopologyTestDriver.open(topology)
    const failed: unknown = await driver
      .input<string, number>('in')
      .pipe('k', 1, 0)
      .catch((error) => error.cause)
    expect(String(failed)).toContain('a salted key cannot be deleted')
  })
})

describe('a salted grouping in a process that is killed', () => {
  const COUNT = 90
  const topology = defineTopology('killed', (b) => {
    const stream = b.stream('in', input)
    stream
      .groupBy(() => 'hot', { salt: 4, name: 'a' })
      .reduce((value, sum) => value + sum, {
        store: 'sum',
        commutative: true
      })
    stream
      .groupBy(() => 'hot', { salt: 4, name: 'b' })
      .windowedBy(tumbling({ size: 30, grace: 1_000 }))
      .count({ store: 'counts' })
  })

  async function live(environment: Environment, trace: Trace) {
    const broker = { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 }
    const log = await openLog({ dir: '/data', environment, broker, onEvent: () => undefined })
    const isNew = !(await log.admin().listTopics()).some(({ name }) => name === 'ready')
    await log.admin().ensureTopic({ name: 'in', partitions: 3, configs: { 'retention.ms': '-1' } })
    if (isNew) {
      // All of them or none, and nothing twice: an input that was begun is thrown away.
      const producer = log.producer({ transactionalId: 'input' })
      await producer.initTransactions()
      producer.beginTransaction()
      for (let i = 0; i < COUNT; i++) producer.enqueue('in', i % 3, null, number().encode(i), i)
      await producer.commitTransaction()
      await producer.close()
      await log.admin().ensureTopic({ name: 'ready', partitions: 1, configs: {} })
    }
    const engine = (path: string, where: Environment) => FileEngine.open(path, where)
    const app = await runStreams(topology, { log, engine, commitInterval: 10, trace })
    app.done.catch(() => undefined)
    const sum = () => app.store<string, number>('sum').get('hot')
    const expected = (COUNT * (COUNT - 1)) / 2
    let counts: (number | undefined)[] = []
    const counted = () => counts.reduce<number>((total, count) => total + (count ?? 0), 0)
    while ((await sum()) !== expected || counted() !== COUNT) {
      await new Promise<void>((resolve) => environment.timers.set(5, resolve))
      counts = []
      for await (const { value } of app.store<string, number>('counts').fetch('hot')) counts.push(value)
    }
    await app.close()
    await log.close()
    return counts
  }

  it('counts every record once, wherever it is killed', async () => {
    for (let seed = 0; seed < 8; seed++) {
      const world = new SimulatedWorld({ seed })
      const machine = world.machine('m')
      const { random } = world
      for (let life = 0; ; life++) {
        const environment = machine.restart()
        const died = Promise.withResolvers<'killed'>()
        const step = COMMIT_STEPS[(seed + life) % COMMIT_STEPS.length]
        const last = life === 4
        let passes = random.below(4)
        const trace: Trace = (reached) => {
          if (last || reached !== step || passes-- > 0) return
          if (random.chance(0.5)) machine.kill()
          else machine.powerCut()
          died.resolve('killed')
        }
        const ended = live(environment, trace)
        ended.catch(() => undefined)
        const outcome = await world.run(Promise.race([died.promise, ended]), 300_000)
        if (outcome === 'killed') continue
        expect(outcome).toEqual([30, 30, 30])
        break
      }
    }
  })
})
