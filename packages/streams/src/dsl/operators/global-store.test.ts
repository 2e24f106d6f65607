import { describe, expect, it } from 'vitest'
import { describeTopology, formatTopology } from '../../graph/describe.ts'
import { json } from '../../serde/json.ts'
import { long } from '../../serde/long.ts'
import { string } from '../../serde/string.ts'
import { deadLetter, skip } from '../../task/error-policy.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'
import type { StreamsBuilder } from '../streams-builder.ts'

const TEXT = { key: string(), value: string() }

interface Limit {
  readonly user: string
  readonly add: number
}

/** Sums limits by user, whatever the keys of the topic are; a record without a value resets its key. */
const limits = (b: StreamsBuilder) =>
  b.globalStore('limits', 'limit-events', {
    key: string(),
    value: long(),
    input: { key: string(), value: json<Limit>() },
    process: ({ key, value }, store) => {
      if (value === null) {
        if (key !== null) store.delete(key)
        return
      }
      if (value.add < 0) store.put(value.user, -1)
      if (value.add < 0) throw new RangeError('a limit does not shrink')
      store.put(value.user, (store.get(value.user) ?? 0) + value.add)
    }
  })

const topology = defineTopology('app', (b) => {
  const store = limits(b)
  b.stream('in', TEXT)
    .processValues(({ value }, context) => context.forward(`${value}: ${context.store('limits').get(value)}`), {
      stores: [store],
      value: string()
    })
    .to('out')
})

describe('a global store with a processor', () => {
  it('has the rows that the processor puts there, with keys and values of its own', async () => {
    const driver = await TopologyTestDriver.open(topology)
    const events = driver.input('limit-events', { key: string(), value: json<Limit>() })
    const asked = driver.input<string, string>('in')
    await asked.pipe('1', 'ann')
    await events.pipe(null, { user: 'ann', add: 3 }, 5)
    await events.pipe('x', { user: 'ann', add: 4 }, 9)
    await events.pipe('y', { user: 'bob', add: 1 }, 7)
    await asked.pipe('2', 'ann')
    expect(driver.store('limits').get('ann')).toEqual({ value: 7, timestamp: 9 })
    await events.pipe('ann', null, 10)
    await asked.pipe('3', 'ann')
    expect(driver.output('out').readValues()).toEqual(['ann: undefined', 'ann: 7', 'ann: undefined'])
    expect((await driver.store('limits').all()).map(({ key, value }) => [key, value])).toEqual([['bob', 1]])
  })

  it('may be made anew at every start, wait for its store, and be told of its end', async () => {
    const calls: string[] = []
    const made = defineTopology('app', (b) => {
      const counts = b.globalStore('counts', 'events', {
        key: string(),
        value: long(),
        input: TEXT,
        process: {
          make: (store) => {
            calls.push(`made with ${store.name}`)
            return {
              process: async ({ value }) => {
                let sum = 0
                for await (const [, count] of store.all()) sum += count
                store.put(value ?? 'null', sum + 1)
              },
              close: () => void calls.push('closed')
            }
          }
        }
      })
      b.stream('in', TEXT).process(() => undefined, { stores: [counts] })
    })
    const driver = await TopologyTestDriver.open(made)
    for (const value of ['a', 'b', 'a']) await driver.input<string, string>('events', TEXT).pipe('k', value)
    const rows = await driver.store<string, number>('counts').all()
    expect(rows.map(({ key, value }) => [key, value])).toEqual([
      ['a', 4],
      ['b', 2]
    ])
    await driver.close()
    expect(calls).toEqual(['made with counts', 'closed'])
  })

  it('fails with its place, or goes on without a trace of the record, as the policies say', async () => {
    const bad = async (policies: object) => {
      const driver = await TopologyTestDriver.open(topology, { errors: policies })
      const events = driver.input('limit-events', { key: string(), value: json<Limit>() })
      await events.pipe('k', { user: 'ann', add: 2 })
      await driver.input<string, string>('limit-events', TEXT).pipe('k', 'no json')
      await events.pipe('k', { user: 'ann', add: -1 })
      return driver
    }
    const driver = await bad({ processing: skip(), deserialization: deadLetter('dead') })
    expect(driver.store('limits').get('ann')?.value).toBe(2)
    expect(driver.skipped()).toMatchObject([
      { code: 'STREAMS_DESERIALIZATION', node: 'limits', topic: 'limit-events', offset: 1, part: 'value' },
      { code: 'STREAMS_PROCESSING', node: 'limits', topic: 'limit-events', offset: 2 }
    ])
    await expect(bad({ deserialization: skip() })).rejects.toThrow('limits failed on limit-events-0 at offset 2')
    await expect(bad({})).rejects.toThrow('cannot be read by limits')
  })

  it('is said in the description', () => {
    expect(formatTopology(topology)).toContain('  global store of limit-events, processed, (string, long) in limits\n')
    expect(describeTopology(topology).globalTables).toMatchObject([
      { topic: 'limit-events', store: { name: 'limits', keptBy: ['process'], changelog: null, engine: 'memory' } }
    ])
  })
})
