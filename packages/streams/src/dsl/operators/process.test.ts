import { describe, expect, it } from 'vitest'
import { nullable } from '../../serde/custom.ts'
import { long } from '../../serde/long.ts'
import { string } from '../../serde/string.ts'
import { skip } from '../../task/error-policy.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'

const text = { key: string(), value: string() }

describe('process', () => {
  it('keeps state in its stores and forwards any number of records, with headers of its own', async () => {
    const topology = defineTopology('app', (b) => {
      const counts = b.store('counts', { key: string(), value: long() })
      b.stream('in', text)
        .process(
          (record, context) => {
            const count = (context.store('counts').get(record.key) ?? 0) + 1
            context.store('counts').put(record.key, count)
            context.forward(record.key, count)
            context.forward({
              key: `${record.key}!`,
              value: count * 10,
              timestamp: 7,
              headers: [...record.headers, { key: 'from', value: Buffer.from(`${context.origin?.topic}`) }]
            })
          },
          { stores: [counts], key: string(), value: long() }
        )
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const header = { key: 'h', value: Buffer.from('1') }
    await driver.input<string, string>('in').pipe('a', 'x', { timestamp: 5, headers: [header] })
    await driver.input<string, string>('in').pipe('a', 'x', 6)
    const from = { key: 'from', value: Buffer.from('in') }
    expect(driver.output('out').readAll()).toEqual([
      { key: 'a', value: 1, timestamp: 5, headers: [header] },
      { key: 'a!', value: 10, timestamp: 7, headers: [header, from] },
      { key: 'a', value: 2, timestamp: 6, headers: [] },
      { key: 'a!', value: 20, timestamp: 7, headers: [from] }
    ])
    expect(driver.store('counts').get('a')).toEqual({ value: 2, timestamp: 6 })
  })

  it('shares its store with the table below, when its keys stay in the partition', async () => {
    const topology = defineTopology('app', (b) => {
      const rows = b.store('rows', { key: string(), value: long() })
      b.stream('in', { key: string(), value: long() })
        .process(
          async ({ key, value }, context) => {
            if (value >= 0) return context.forward(key, value)
            for await (const [kept] of context.store('rows').all()) context.forward(kept, null)
          },
          { stores: [rows], value: nullable(long()), keepsPartition: true }
        )
        .toTable({ store: rows })
        .toStream()
        .to('out')
    })
    expect(topology.subtopologies).toHaveLength(1)
    expect(topology.stores.map(({ name }) => name)).toEqual(['rows'])
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, number>('in')
    await input.pipe('a', 1, 0)
    await input.pipe('b', 2, 0)
    await input.pipe('c', -1, 0)
    expect(driver.output('out').readAll()).toMatchObject([
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
      { key: 'a', value: null },
      { key: 'b', value: null }
    ])
    expect(driver.store('rows').get('a')).toBeUndefined()
  })

  it('shares a store between processors of one sub-topology', async () => {
    const topology = defineTopology('app', (b) => {
      const last = b.store('last', text)
      b.stream('names', text).process(({ key, value }, context) => context.store('last').put(key, value), {
        stores: [last]
      })
      b.stream('asks', text)
        .processValues(({ key }, context) => context.forward(context.store('last').get(key) ?? 'nobody'), {
          stores: [last]
        })
        .to('out')
    })
    expect(topology.subtopologies).toHaveLength(1)
    expect(topology.stores.map(({ name }) => name)).toEqual(['last'])
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('asks').pipe('1', '', 0)
    await driver.input<string, string>('names').pipe('1', 'Ada', 1)
    await driver.input<string, string>('asks').pipe('1', '', 2)
    expect(driver.output('out').readValues()).toEqual(['nobody', 'Ada'])
  })

  it('counts as a change of the key, and processValues does not', () => {
    const below = (values: boolean) =>
      defineTopology('app', (b) => {
        const stream = b.stream('in', text)
        const processed = values
          ? stream.processValues((record, context) => context.forward(record.value))
          : stream.process((record, context) => context.forward(record))
        processed.groupByKey().count()
      }).subtopologies.length
    expect([below(true), below(false)]).toEqual([1, 2])
  })

  it('reads ranges in the order of bytes, uncommitted changes included, as they are when asked for', async () => {
    const seen: string[] = []
    const topology = defineTopology('app', (b) => {
      const store = b.store('store', text)
      b.stream('in', text).process(
        async ({ key, value }, context) => {
          const rows = context.store('store')
          if (value === 'delete') rows.delete(key)
          else rows.put(key, value)
          const all = rows.all()
          rows.put(key, 'later')
          for await (const [k, v] of all) seen.push(`${k}=${v}`)
          for await (const [k] of rows.range('b', 'c', { reverse: true })) seen.push(k)
          seen.push('|')
        },
        { stores: [store] }
      )
    })
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, string>('in')
    for (const key of ['c', 'a', 'b', 'd']) await input.pipe(key, key.toUpperCase(), 0)
    expect(seen.join(' ')).toBe('c=C c | a=A c=later c | a=later b=B c=later c b | a=later b=later c=later d=D c b |')
    await input.pipe('b', 'delete', 0)
    expect(seen.slice(-6)).toEqual(['a=later', 'c=later', 'd=later', 'c', 'b', '|'])
  })

  it('takes up the next record only when what it waits for is done, and keeps their order below', async () => {
    let release: (() => void) | undefined
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .flatMapValues((value) => [...value], { value: string() })
        .processValues(async ({ value }, context) => {
          if (value === 'a')
            await new Promise<void>((resolve) => {
              release = resolve
            })
          context.forward(value)
        })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, string>('in')
    const done = [input.pipe('k', 'abc', 0), input.pipe('k', 'd', 0)]
    while (release === undefined) await Promise.resolve()
    release()
    await Promise.all(done)
    expect(driver.output('out').readValues()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('leaves no trace of a record that a policy skips, also when it failed later', async () => {
    const topology = defineTopology('app', (b) => {
      const store = b.store('store', text)
      b.stream('in', text)
        .process(
          async ({ key, value }, context) => {
            context.store('store').put(key, value)
            context.forward(key, value)
            await Promise.resolve()
            if (value === 'bad') throw new TypeError('bad value')
          },
          { stores: [store] }
        )
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    for (const value of ['good', 'bad', 'fine']) await driver.input<string, string>('in').pipe(value, value, 0)
    expect(driver.output('out').readValues()).toEqual(['good', 'fine'])
    expect((await driver.store('store').all()).map(({ key }) => key)).toEqual(['fine', 'good'])
    expect(driver.skipped()).toMatchObject([{ code: 'STREAMS_PROCESSING', node: 'in-process' }])
  })

  it('does not let a processor swallow the failure of what is below it', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .process((record, context) => {
          try {
            context.forward(record)
          } catch {}
        })
        .mapValues(() => {
          throw new TypeError('below')
        })
    })
    const driver = await TopologyTestDriver.open(topology)
    await expect(driver.input<string, string>('in').pipe('k', 'v', 0)).rejects.toMatchObject({
      node: 'in-process-mapValues'
    })
  })

  it('reads a topic that every instance has, as a store', async () => {
    const topology = defineTopology('app', (b) => {
      const names = b.globalStore('names', 'users', text)
      b.stream('in', text)
        .processValues(({ key }, context) => context.forward(context.store('names').get(key) ?? 'nobody'), {
          stores: [names]
        })
        .to('out')
    })
    expect(topology.stores).toEqual([])
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('1', '', 0)
    await driver.input('users', text).pipe('1', 'Ada', 0)
    await driver.input<string, string>('in').pipe('1', '', 0)
    await driver.input('users', text).pipe('1', null, 0)
    await driver.input<string, string>('in').pipe('1', '', 0)
    expect(driver.output('out').readValues()).toEqual(['nobody', 'Ada', 'nobody'])
  })

  it('refuses a store it was not given', async () => {
    const topology = defineTopology('app', (b) => {
      const store = b.store('store', text)
      // @ts-expect-error the name is not among those given
      b.stream('in', text).process((_, context) => context.store('other').get('k'), { stores: [store] })
    })
    const driver = await TopologyTestDriver.open(topology)
    await expect(driver.input<string, string>('in').pipe('k', 'v', 0)).rejects.toThrow('was not given store other')
  })

  it('keeps windows as long as it was told, in stream time', async () => {
    const topology = defineTopology('app', (b) => {
      const hits = b.windowStore('hits', { key: string(), value: long(), retention: 100 })
      b.stream('in', text)
        .processValues(
          async ({ key, timestamp }, context) => {
            const store = context.store('hits')
            const start = timestamp - (timestamp % 10)
            store.put(key, start, (store.get(key, start) ?? 0) + 1)
            for await (const [k, at, n] of store.windows(0, timestamp)) context.forward(`${k}@${at}=${n}`)
          },
          { stores: [hits] }
        )
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const output = driver.output('out')
    const input = driver.input<string, string>('in')
    await input.pipe('a', '', 1)
    await input.pipe('a', '', 5)
    await input.pipe('b', '', 52)
    expect(output.readValues()).toEqual(['a@0=1', 'a@0=2', 'a@0=2', 'b@50=1'])
    await input.pipe('b', '', 140)
    await input.pipe('b', '', 145)
    await input.pipe('b', '', 146)
    expect(output.readValues().slice(-2)).toEqual(['b@50=1', 'b@140=3'])
  })
})

describe('punctuation', () => {
  it('goes by stream time on a grid from 0, missed intervals as one', async () => {
    const topology = punctuated('stream-time')
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, string>('in')
    const output = driver.output('out')
    const firedAt: (readonly [number, number[]])[] = []
    for (const timestamp of [101, 134, 135, 100, 136, 360, 365]) {
      await input.pipe('k', 'v', timestamp)
      firedAt.push([timestamp, output.readAll().map((record) => record.timestamp)])
    }
    expect(firedAt).toEqual([
      [101, [101]],
      [134, []],
      [135, [135]],
      [100, []],
      [136, []],
      [360, [360]],
      [365, []]
    ])
  })

  it('goes by the wall clock from an interval after the start, missed intervals as one', async () => {
    const driver = await TopologyTestDriver.open(punctuated('wall-clock'), { nowMs: 1_000 })
    const output = driver.output('out')
    const fired: number[][] = []
    for (const byMs of [44, 1, 44, 136, 90]) {
      await driver.advanceWallClock(byMs)
      fired.push(output.readAll().map((record) => record.timestamp))
    }
    expect(fired).toEqual([[], [1_045], [], [1_225], [1_315]])
  })

  it('ends when cancelled, and is undone as a whole when a policy lets its error go', async () => {
    const topology = defineTopology('app', (b) => {
      const store = b.store('store', { key: string(), value: long() })
      b.stream('in', text)
        .process(
          {
            make: (context) => {
              let runs = 0
              const schedule = context.schedule(10, 'wall-clock', (timestampMs) => {
                runs++
                context.store('store').put(`run ${runs}`, timestampMs)
                context.forward(`run ${runs}`, timestampMs)
                if (runs === 2) throw new TypeError('second')
                if (runs === 3) schedule.cancel()
              })
              return { process: () => undefined }
            }
          },
          { stores: [store], key: string(), value: long() }
        )
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    for (let i = 0; i < 6; i++) await driver.advanceWallClock(10)
    expect(driver.output('out').readKeyValues()).toEqual([
      ['run 1', 10],
      ['run 3', 30]
    ])
    expect((await driver.store('store').all()).map(({ key }) => key)).toEqual(['run 1', 'run 3'])
    expect(driver.skipped()).toHaveLength(1)
    expect(String(driver.skipped()[0])).toContain('a punctuation')
  })
})

function punctuated(clock: 'stream-time' | 'wall-clock') {
  return defineTopology('app', (b) => {
    b.stream('in', text)
      .process({
        make: (context) => {
          context.schedule(45, clock, (timestampMs) => context.forward('tick', `${timestampMs}`))
          return { process: () => undefined }
        }
      })
      .to('out')
  })
}
