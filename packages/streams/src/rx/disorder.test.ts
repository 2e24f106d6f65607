import { describe, expect, expectTypeOf, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { KStream } from '../dsl/k-stream.ts'
import type { DurableOperator } from '../graph/durable-operator.ts'
import { DurationError } from '../graph/duration.ts'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { skip as skipErrors } from '../task/error-policy.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'
import {
  auditTime,
  bufferCount,
  bufferTime,
  debounceTime,
  distinctUntilChanged,
  pairwise,
  sampleTime,
  scan,
  skip,
  take,
  throttleTime
} from './index.ts'

const serdes = { key: string(), value: string() }

function topologyOf(operator: DurableOperator<string, unknown>) {
  return defineTopology('app', (b) => {
    b.stream('in', serdes).rx(operator, { value: json() }).to('out')
  })
}

/** Runs `key value timestamp` lines through an operator. */
async function run(
  operator: DurableOperator<string, unknown>,
  records: readonly (readonly [string, string, number])[]
) {
  const driver = await TopologyTestDriver.open(topologyOf(operator))
  for (const [key, value, timestamp] of records) await driver.input('in').pipe(key, value, timestamp)
  return driver
    .output('out')
    .readAll()
    .map(({ key, value, timestamp }) => [key, value, timestamp])
}

describe('a record that comes late', () => {
  it('is counted by operators without time, as it comes and with its own timestamp', async () => {
    const input = [
      ['k', 'a', 10],
      ['k', 'b', 3],
      ['k', 'c', 20]
    ] as const
    expect(
      await run(
        scan((all, value) => all + value),
        input
      )
    ).toEqual([
      ['k', 'a', 10],
      ['k', 'ab', 3],
      ['k', 'abc', 20]
    ])
    expect(await run(pairwise(), input)).toEqual([
      ['k', ['a', 'b'], 3],
      ['k', ['b', 'c'], 20]
    ])
    expect(await run(bufferCount(2), input)).toEqual([['k', ['a', 'b'], 3]])
  })

  it('is the latest value of its key, and moves a debounce from the stream time at which it came', async () => {
    const late = [
      ['k', 'new', 100],
      ['other', '', 104],
      ['k', 'late', 50],
      ['other', '', 200]
    ] as const
    expect(await run(debounceTime(10), late)).toEqual([
      ['other', '', 114],
      ['k', 'late', 114]
    ])
  })

  it('does not reach back behind a timer that went off', async () => {
    const late = [
      ['k', 'a', 0],
      ['other', '', 50],
      ['k', 'late', 5],
      ['other', '', 100]
    ] as const
    expect(await run(auditTime(10), late)).toEqual([
      ['k', 'a', 10],
      ['other', '', 60],
      ['k', 'late', 60]
    ])
    expect(await run(sampleTime(20), late)).toEqual([
      ['k', 'a', 20],
      ['k', 'late', 60],
      ['other', '', 70]
    ])
    expect(await run(bufferTime(20, { empty: 'skip' }), late)).toEqual([
      ['k', ['a'], 20],
      ['k', ['late'], 60],
      ['other', [''], 70]
    ])
  })

  it('throttles from the stream time at which it came, and leaves with its own timestamp', async () => {
    const late = [
      ['k', 'a', 0],
      ['other', '', 50],
      ['k', 'late', 5],
      ['k', 'held', 60],
      ['k', 'free', 61]
    ] as const
    expect(await run(throttleTime(10), late)).toEqual([
      ['k', 'a', 0],
      ['other', '', 50],
      ['k', 'late', 5],
      ['k', 'free', 61]
    ])
  })
})

describe('timers', () => {
  it('go off by time, then in the order in which they were set, however many wait for one millisecond', async () => {
    const keys = Array.from({ length: 500 }, (_, i) => `k${(i * 7) % 500}`)
    const bench = await TaskBench.open(topologyOf(debounceTime(10)))
    bench.feed(
      'in',
      keys.map((key) => ({ key, value: 'v', timestamp: 1 }))
    )
    bench.task.process(1000)
    await bench.commit()
    await bench.crash()
    bench.feed('in', [{ key: 'end', value: 'v', timestamp: 12 }])
    bench.task.process(1000)
    await bench.commit()
    expect(bench.output().map(({ key }) => key)).toEqual(keys)
    expect(new Set(bench.output().map(({ timestamp }) => timestamp))).toEqual(new Set([11]))
  })

  it('go off though the records that move the time do not come by', async () => {
    const topology = defineTopology('app', (b) => {
      const input = b.stream('in', serdes)
      input
        .filter((value) => value !== 'noise')
        .rx(debounceTime(100))
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input('in').pipe('k', 'alert', 1000)
    await driver.input('in').pipe('k', 'noise', 1099)
    expect(driver.output('out').readAll()).toEqual([])
    await driver.input('in').pipe('k', 'noise', 1111)
    expect(driver.output('out').readAll()).toMatchObject([{ key: 'k', value: 'alert', timestamp: 1100 }])
  })

  it('are back when the record that made them go off is skipped', async () => {
    const failing = defineTopology('app', (b) => {
      const input = b.stream('in', serdes)
      input.rx(debounceTime(10)).to('out')
      input
        .mapValues((value) => {
          if (value === 'bad') throw new TypeError('bad')
          return value
        })
        .to('elsewhere', { value: string() })
    })
    const bench = await TaskBench.open(failing, { processing: skipErrors() })
    bench.feed('in', [{ key: 'k', value: 'v', timestamp: 0 }])
    bench.feed('in', [{ key: 'b', value: 'bad', timestamp: 50 }])
    bench.task.process(10)
    bench.feed('in', [{ key: 'c', value: 'v', timestamp: 50 }])
    bench.task.process(10)
    await bench.commit()
    expect(bench.skipped).toHaveLength(1)
    expect(bench.output().filter(({ topic }) => topic === 'out')).toMatchObject([{ key: 'k', timestamp: 10 }])
  })

  it('leave nothing behind of a key that has gone quiet', async () => {
    for (const operator of [debounceTime<string>(10), auditTime<string>(10), throttleTime<string>(10)]) {
      const bench = await TaskBench.open(topologyOf(operator))
      const keys = ['a', 'b', 'c']
      bench.feed(
        'in',
        keys.map((key) => ({ key, value: 'v', timestamp: 0 }))
      )
      bench.feed('in', [{ key: 'z', value: 'v', timestamp: 100 }])
      bench.task.process(10)
      await bench.commit()
      const states = bench.stores.keyValue(`in-${operator.verb}`)
      expect(keys.map((key) => states.get(key))).toEqual([undefined, undefined, undefined])
      expect(states.get('z')).toBeDefined()
    }
  })
})

describe('values', () => {
  it('are compared as they are written, since the log gives back no same object', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', { key: string(), value: json<{ readonly at: number }>() }).rx(distinctUntilChanged()).to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    for (const at of [1, 1, 2, 1]) await driver.input('in').pipe('k', { at }, at)
    expect(driver.output('out').readValues()).toEqual([{ at: 1 }, { at: 2 }, { at: 1 }])
  })

  it('may be null; keys may not', async () => {
    const driver = await TopologyTestDriver.open(topologyOf(pairwise()))
    await driver.input('in').pipe('k', null, 1)
    await driver.input('in').pipe('k', 'v', 2)
    await driver.input('in').pipe(null, 'v', 3)
    expect(driver.output('out').readValues()).toEqual([[null, 'v']])
    expect(driver.dropped('null-key')).toBe(1)
  })

  it('keep their headers and timestamp where a record makes the operator emit', async () => {
    const driver = await TopologyTestDriver.open(topologyOf(skip(0)))
    const headers = [{ key: 'trace', value: Buffer.from('1') }]
    await driver.input('in').pipe('k', 'v', { timestamp: 5, headers })
    expect(driver.output('out').readAll()).toMatchObject([{ timestamp: 5, headers }])
  })
})

describe('rx()', () => {
  it('infers values from the stream and knows how they are written', () => {
    defineTopology('app', (b) => {
      const input = b.stream('in', { key: string(), value: long() })
      expectTypeOf(input.rx(debounceTime('5s'))).toEqualTypeOf<KStream<string, number>>()
      expectTypeOf(input.rx(scan((text, value) => text + value.toFixed(), '', { value: string() }))).toEqualTypeOf<
        KStream<string, string>
      >()
      const lists = input.rx(bufferTime('1m'))
      expectTypeOf(lists).toEqualTypeOf<KStream<string, readonly number[], 'key'>>()
      lists.to('out', { value: json() })
    })
    expect(() =>
      defineTopology('app', (b) => {
        // @ts-expect-error nothing says how lists are written
        b.stream('in', serdes).rx(bufferTime('1m')).to('lists')
      })
    ).toThrow('lists-sink')
  })

  it('repartitions where the key was changed, and asks for what it has to write', () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', serdes)
        .selectKey((value) => value)
        .rx(take(1), { store: 'firsts' })
        .to('out')
    })
    expect(topology.nodes.map(({ name }) => name)).toContain('in-selectKey-repartition')
    expect(topology.stores.map(({ name }) => name)).toEqual(['firsts'])
    expect(() =>
      defineTopology('app', (b) => {
        const numbers = b.stream('in', serdes).mapValues((value) => value.length)
        // @ts-expect-error the values' serde is not known
        numbers.rx(take(1)).to('out')
      })
    ).toThrow('in-take')
  })

  it('refuses what makes no sense', () => {
    expect(() => debounceTime(0)).toThrow(DurationError)
    expect(() => take(-1)).toThrow('take(count) is -1')
    expect(() => bufferCount(0)).toThrow('bufferCount(size) is 0')
  })
})
