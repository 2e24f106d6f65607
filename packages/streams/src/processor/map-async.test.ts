import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { MapAsyncOptions } from '../dsl/map-async-options.ts'
import { formatTopology } from '../graph/describe.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { deadLetter, type ErrorPolicies, skip } from '../task/error-policy.ts'
import { DriverClock } from '../testing/driver-clock.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'
import { RunningCall } from './async-call.ts'
import { AsyncTimeoutError } from './errors.ts'

const text = { key: string(), value: string() }

/** What was done up to now has had its consequences. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A service whose answers the test gives, by value. */
class Service {
  readonly called: string[] = []
  readonly aborted: string[] = []
  readonly #calls = new Map<string, { resolve: (value: string) => void; reject: (error: Error) => void }>()
  mostAtWork = 0

  readonly call = (value: string, _record: unknown, { signal }: { readonly signal: AbortSignal }): Promise<string> => {
    this.called.push(value)
    signal.addEventListener('abort', () => this.aborted.push(value))
    return new Promise<string>((resolve, reject) => {
      this.#calls.set(value, { resolve, reject })
      this.mostAtWork = Math.max(this.mostAtWork, this.#calls.size)
    })
  }

  /** Values whose calls are at work, in the order in which they began. */
  get atWork(): string[] {
    return [...this.#calls.keys()]
  }

  answer(...values: string[]): void {
    for (const value of values) this.#take(value)?.resolve(`${value}!`)
  }

  fail(...values: string[]): void {
    for (const value of values) this.#take(value)?.reject(new TypeError(`no ${value}`))
  }

  #take(value: string) {
    const call = this.#calls.get(value)
    this.#calls.delete(value)
    return call
  }
}

function calling(service: Service, options: MapAsyncOptions) {
  return defineTopology('calling', (b) => {
    b.stream('in', text)
      .mapAsync(service.call, { ...options, value: string() })
      .to('out')
  })
}

async function open(options: MapAsyncOptions, errors: ErrorPolicies = {}) {
  const service = new Service()
  const driver = await TopologyTestDriver.open(calling(service, options), { errors })
  const input = driver.input<string, string>('in')
  const output = driver.output<string, string>('out')
  const pipe = async (...records: (readonly [key: string, value: string])[]) => {
    for (const [index, [key, value]] of records.entries()) await input.pipe(key, value, index)
  }
  return { service, driver, input, output, pipe }
}

describe('mapAsync', () => {
  it('sends results on in the order of the partition, however calls end', async () => {
    const { service, driver, output, pipe } = await open({ concurrency: 3 })
    await pipe(['k', 'a'], ['k', 'b'], ['k', 'c'], ['k', 'd'])
    expect(service.atWork).toEqual(['a', 'b', 'c'])
    service.answer('c', 'b')
    const settled = driver.settled()
    await turn()
    expect(output.pending).toBe(0)
    service.answer('a')
    await turn()
    expect(service.atWork).toEqual(['d'])
    service.answer('d')
    await settled
    expect(output.readValues()).toEqual(['a!', 'b!', 'c!', 'd!'])
  })

  it('keeps the order of a key, its calls included, while other keys overtake', async () => {
    const { service, driver, output, pipe } = await open({ order: 'key', concurrency: 8 })
    await pipe(['1001', 'a'], ['1001', 'b'], ['2002', 'c'])
    expect(service.atWork).toEqual(['a', 'c'])
    service.answer('c')
    const settled = driver.settled()
    await turn()
    service.answer('a')
    await turn()
    service.answer('b')
    await settled
    expect(output.readAll()).toEqual([
      { key: '2002', value: 'c!', timestamp: 2, headers: [] },
      { key: '1001', value: 'a!', timestamp: 0, headers: [] },
      { key: '1001', value: 'b!', timestamp: 1, headers: [] }
    ])
  })

  it('has no order among records without a key, when the order is that of keys', async () => {
    const { service, input } = await open({ order: 'key' })
    await input.pipe(null, 'a', 1)
    await input.pipe(null, 'b', 2)
    expect(service.atWork).toEqual(['a', 'b'])
  })

  it('asks for the serde of keys it has to tell apart', async () => {
    const untyped = defineTopology('keyless', (b) => {
      const keyed = b.stream('in', text).selectKey((value) => ({ id: value }))
      // @ts-expect-error: the serde of the new keys is not known.
      keyed.mapAsync(async (value) => value, { order: 'key' })
    })
    const driver = await TopologyTestDriver.open(untyped)
    await expect(driver.input('in').pipe('k', 'a')).rejects.toThrow(/in-selectKey-mapAsync failed on in-0 at offset 0/)
    const given = defineTopology('keyed', (b) => {
      b.stream('in', text)
        .selectKey((value) => ({ id: value }))
        .mapAsync(async (value) => value, { order: 'key', key: json(), timeout: '2s', retry: { maxAttempts: 3 } })
    })
    expect(formatTopology(given)).toContain('mapAsync by key, at most 16 at once, timeout 2s, 3 attempts')
  })

  it('gives up a call whose time is up, aborts its signal, and heeds nothing it still brings', async () => {
    const { service, driver, output, pipe } = await open({ timeout: '2s' }, { processing: skip() })
    await pipe(['k', 'slow'], ['k', 'quick'])
    service.answer('quick')
    await driver.advanceWallClock(1_999)
    expect(service.aborted).toEqual([])
    await driver.advanceWallClock(1)
    expect(service.aborted).toEqual(['slow'])
    service.answer('slow')
    await driver.settled()
    expect(output.readValues()).toEqual(['quick!'])
    expect(driver.skipped()[0]?.cause).toMatchObject({ code: 'STREAMS_ASYNC_TIMEOUT', timeoutMs: 2_000, attempt: 1 })
  })

  it('makes failed calls again, after a time that doubles, as long as the program wants', async () => {
    const seen: number[] = []
    const topology = defineTopology('retrying', (b) => {
      b.stream('in', text)
        .mapAsync(
          (value, _record, { attempt }) => {
            seen.push(attempt)
            // What throws at once is a failed call as well.
            if (value === 'hopeless') throw new RangeError(value)
            return attempt < 4 ? Promise.reject(new TypeError('not yet')) : Promise.resolve(`${value}!`)
          },
          {
            value: string(),
            retry: { maxAttempts: 4, backoff: 100, maxBackoff: 250, when: (error) => error instanceof TypeError }
          }
        )
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    await driver.input('in').pipe('k', 'a', 1)
    await driver.settled()
    for (const [ms, attempts] of [
      [99, 1],
      [1, 2],
      [199, 2],
      [1, 3],
      [249, 3],
      [1, 4]
    ] as const) {
      await driver.advanceWallClock(ms)
      await driver.settled()
      expect(seen.length).toBe(attempts)
    }
    await driver.input('in').pipe('k', 'hopeless', 2)
    await driver.settled()
    expect(seen).toEqual([1, 2, 3, 4, 1])
    expect(driver.output('out').readValues()).toEqual(['a!'])
  })

  it('lets the processing policy decide about what fails: here a dead letter with the original bytes', async () => {
    const { service, driver, output, pipe } = await open({ order: 'key' }, { processing: deadLetter('dead') })
    await pipe(['k', 'a'], ['k', 'b'], ['l', 'c'])
    service.fail('a')
    service.answer('c')
    expect(service.called).toEqual(['a', 'c'])
    const settled = driver.settled()
    await turn()
    // Only now that it is decided about the first: a failure that ends the task must not be followed by the next call of the key.
    expect(service.called).toEqual(['a', 'c', 'b'])
    service.answer('b')
    await settled
    const [dead, ...none] = driver.output('dead', text).readAll()
    expect([dead?.key, dead?.value, none]).toEqual(['k', 'a', []])
    expect(output.readValues()).toEqual(['c!', 'b!'])
    expect(driver.dropped('processing-error')).toBe(1)
  })

  it('fails the task by default, and aborts what is under way when it is closed', async () => {
    const { service, driver, pipe } = await open({})
    await pipe(['k', 'a'], ['k', 'b'])
    service.fail('a')
    await expect(driver.settled()).rejects.toThrow(/in-mapAsync failed on in-0 at offset 0: no a/)
    await driver.close()
    expect(service.aborted).toEqual(['b'])
  })

  it('leaves nobody waiting in a test driver that is closed', async () => {
    const { driver, pipe } = await open({})
    await pipe(['k', 'a'])
    const settled = driver.settled()
    await turn()
    await driver.close()
    await expect(settled).rejects.toThrow(/closed/)
  })

  it('undoes what a result did below when something there fails, and goes on with the next', async () => {
    const service = new Service()
    const topology = defineTopology('below', (b) => {
      const results = b.stream('in', text).mapAsync(service.call, { value: string() })
      results.to('before')
      results.peek((value) => {
        if (value === 'a!') throw new TypeError('not that')
      })
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    for (const value of ['a', 'b']) await driver.input('in').pipe('k', value, 1)
    service.answer('a', 'b')
    await driver.settled()
    expect(driver.output('before').readValues()).toEqual(['b!'])
    expect(driver.skipped().map(({ node }) => node)).toEqual(['in-peek'])
  })

  it('waits for what is asynchronous below it, one result after the other, and undoes it as a whole', async () => {
    const [service, under] = [new Service(), new Service()]
    const topology = defineTopology('processed', (b) => {
      const results = b.stream('in', text).mapAsync(service.call, { value: string() })
      results.to('before')
      results
        .process(async (record, context) => {
          context.forward(record.key, await under.call(record.value, record, { signal: new AbortController().signal }))
        })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: deadLetter('dead') } })
    for (const value of ['a', 'b', 'c']) await driver.input('in').pipe('k', value, 1)
    service.answer('a', 'b', 'c')
    const settled = driver.settled()
    for (const value of ['a!', 'b!', 'c!']) {
      await turn()
      expect(under.atWork).toEqual([value])
      if (value === 'b!') under.fail(value)
      else under.answer(value)
    }
    await settled
    expect(driver.output('before').readValues()).toEqual(['a!', 'c!'])
    expect(driver.output('out', text).readValues()).toEqual(['a!!', 'c!!'])
    expect(driver.output('dead', text).readValues()).toEqual(['b'])
  })

  it('forgets what it took of a record that was skipped on another way, before any call', async () => {
    const service = new Service()
    const topology = defineTopology('beside', (b) => {
      const input = b.stream('in', text)
      input.mapAsync(service.call, { value: string() }).to('out')
      input.peek((value) => {
        if (value === 'a') throw new TypeError('not that')
      })
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    for (const value of ['a', 'b']) await driver.input('in').pipe('k', value, 1)
    expect(service.called).toEqual(['b'])
  })

  it('may follow another, and shows dead letters of the second step as the record came from the log', async () => {
    const [first, second] = [new Service(), new Service()]
    const topology = defineTopology('chained', (b) => {
      b.stream('in', text)
        .mapAsync(first.call, { value: string(), concurrency: 2 })
        .mapAsync(second.call, { value: string(), concurrency: 1, name: 'second' })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: deadLetter('dead') } })
    for (const value of ['a', 'b', 'c']) await driver.input('in').pipe('k', value, 1)
    expect(first.atWork).toEqual(['a', 'b'])
    first.answer('a', 'b')
    const settled = driver.settled()
    await turn()
    expect([first.atWork, second.atWork]).toEqual([[], ['a!']])
    second.fail('a!')
    await turn()
    second.answer('b!')
    await turn()
    first.answer('c')
    await turn()
    second.answer('c!')
    await settled
    expect(driver.output('out').readValues()).toEqual(['b!!', 'c!!'])
    expect(driver.output('dead', text).readValues()).toEqual(['a'])
    expect([first.mostAtWork, second.mostAtWork]).toEqual([2, 1])
  })

  it('takes what a commit emits above it, and the commit waits for it', async () => {
    const topology = defineTopology('table', (b) => {
      b.stream('in', text)
        .groupByKey()
        .count({ store: 'counts' })
        .toStream()
        .mapAsync(async (count) => `${count}!`, { value: string() })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    for (const key of ['k', 'l', 'k']) await driver.input('in').pipe(key, 'x', 1)
    expect(driver.output('out').readKeyValues()).toEqual([
      ['k', '1!'],
      ['l', '1!'],
      ['k', '2!']
    ])
  })

  it('refuses windows and attempts that make no sense', () => {
    const define = (options: MapAsyncOptions) => () => calling(new Service(), options)
    expect(define({ concurrency: 0 })).toThrow(/concurrency is 0/)
    expect(define({ retry: { maxAttempts: 1.5 } })).toThrow(/retry.maxAttempts is 1.5/)
    expect(define({ timeout: 0 })).toThrow(/timeout/)
  })
})

describe('a call', () => {
  it('spreads its repetitions', () => {
    const clock = new DriverClock(0)
    for (const [random, atMs] of [
      [0, 50],
      [0xffff_ffff, 100]
    ]) {
      const waits: number[] = []
      const timers = {
        ...clock.timers,
        set: (delayMs: number, run: () => void) => {
          waits.push(delayMs)
          return clock.timers.set(delayMs, run)
        }
      }
      RunningCall.begin({
        environment: { timers, random: { ...clock.random, uint32: () => random } },
        timeoutMs: 10,
        retry: { maxAttempts: 2, backoffMs: 100, maxBackoffMs: 1_000 },
        run: () => new Promise(() => undefined),
        ended: (outcome) => expect(outcome).toEqual({ error: new AsyncTimeoutError(10, 2) })
      })
      clock.advance(10)
      expect(waits).toEqual([10, atMs])
      clock.advance(200)
    }
  })
})

/** What happens between two steps of a run. */
type Event =
  | { readonly kind: 'process'; readonly records: number }
  | { readonly kind: 'answer' | 'fail'; readonly pick: number }
  | { readonly kind: 'commit' }
  | { readonly kind: 'crash' }

const events = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('process' as const), records: fc.integer({ min: 1, max: 9 }) })
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('answer' as const, 'fail' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'crash' as const) }) }
  ),
  { maxLength: 60 }
)

async function drive(bench: TaskBench, service: () => Service, event: Event): Promise<void> {
  if (event.kind === 'process') {
    bench.task.process(event.records)
    await bench.task.waiting
  } else if (event.kind === 'crash') await bench.crash()
  else if (event.kind === 'commit') await committed(bench, service)
  else {
    const { atWork } = service()
    const value = atWork[event.pick % Math.max(1, atWork.length)]
    if (value !== undefined) service()[event.kind](value)
    await turn()
    // The failed call is made again.
    bench.clock.advance(1)
  }
}

/** A commit waits for what is under way, and covers it. */
async function committed(bench: TaskBench, service: () => Service): Promise<void> {
  let done = false
  const commit = bench.commit().then(() => {
    done = true
  })
  while (!done) {
    service().answer(...service().atWork)
    bench.clock.advance(1)
    await turn()
  }
  await commit
}

describe('mapAsync, whatever happens in between', () => {
  for (const order of ['partition', 'key'] as const) {
    it(`sends every result once and in the order of the ${order}, with crashes anywhere`, async () => {
      const keys = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 25 })
      await fc.assert(
        fc.asyncProperty(keys, events, fc.integer({ min: 1, max: 5 }), async (keys, events, concurrency) => {
          let service = new Service()
          const topology = defineTopology('calling', (b) => {
            const results = b.stream('in', text).mapAsync((...call) => service.call(...call), {
              order,
              concurrency,
              value: string(),
              retry: { maxAttempts: 1_000, backoff: 1, maxBackoff: 1 }
            })
            results.to('out')
            results.groupByKey().count({ store: 'counts', emit: 'changes' }).toStream().to('counts')
          })
          const bench = await TaskBench.open(topology)
          bench.feed(
            'in',
            keys.map((key, index) => ({ key, value: `${index}`, timestamp: index }))
          )
          for (const event of events) {
            if (event.kind === 'crash') service = new Service()
            await drive(bench, () => service, event)
            expect(bench.task.inFlight).toBeLessThanOrEqual(concurrency)
            expect(service.mostAtWork).toBeLessThanOrEqual(concurrency)
          }
          while (bench.task.buffered() > 0) {
            bench.task.process(100)
            await committed(bench, () => service)
          }
          await committed(bench, () => service)

          const out = bench.output().filter(({ topic }) => topic === 'out')
          const of = (key: string | null) => keys.flatMap((each, i) => (key === null || each === key ? [`${i}!`] : []))
          const got = (key: string | null) =>
            out.flatMap((each) => (key === null || each.key === key ? [each.value] : []))
          if (order === 'partition') expect(got(null)).toEqual(of(null))
          for (const key of ['a', 'b', 'c']) {
            expect(got(key)).toEqual(of(key))
            expect(bench.stores.keyValue('counts').get(key)?.value ?? 0).toBe(of(key).length)
          }
          expect(out.every(({ value, timestamp }) => value === `${timestamp}!`)).toBe(true)
        }),
        { numRuns: 150 }
      )
    })
  }
})
