import { type Log, openLog, partitionForKey } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { ForeignKeyPartitioners } from '../dsl/join-options.ts'
import { string } from '../serde/string.ts'
import { runStreams } from './run-streams.ts'
import type { StreamsApp } from './streams-app.ts'

let log: Log
beforeEach(async () => {
  log = await openLog('memory:')
})
afterEach(() => log.close())

type Row = readonly [key: string, value: string | null, timestamp?: number]

async function topics(counts: Readonly<Record<string, number>>): Promise<void> {
  const admin = log.admin()
  await admin.createTopics(
    Object.entries(counts).map(([name, partitions]) => ({ name, partitions, configs: { 'retention.ms': '-1' } }))
  )
  await admin.close()
}

async function produce(topic: string, partitions: number, rows: readonly Row[]): Promise<void> {
  const producer = log.producer()
  for (const [key, value, timestamp = 0] of rows) {
    const bytes = Buffer.from(key)
    const partition = partitionForKey(bytes, partitions)
    producer.enqueue(topic, partition, bytes, value === null ? null : Buffer.from(value), timestamp)
  }
  await producer.close()
}

async function contents(app: StreamsApp, store: string): Promise<Record<string, string>> {
  const rows: [string, string][] = []
  for await (const { key, value } of app.store<string, string>(store).all()) rows.push([key, value ?? ''])
  return Object.fromEntries(rows.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** Waits until the store holds just this. */
async function reaches(app: StreamsApp, store: string, expected: Readonly<Record<string, string>>): Promise<void> {
  await expect.poll(() => contents(app, store), { interval: 20 }).toEqual(expected)
}

/** Runs the topology through what each step says; between two steps the application ends and another restores its state from the changelogs. */
async function throughRestarts(
  topology: ReturnType<typeof defineTopology>,
  steps: readonly ((app: StreamsApp) => Promise<void>)[]
): Promise<void> {
  for (const step of steps) {
    const app = await runStreams(topology, { log, commitInterval: '20ms' })
    try {
      await app.running
      await step(app)
    } finally {
      await app.close()
    }
  }
}

const TEXT = { key: string(), value: string() }

describe('joins on a log with several partitions, through restarts', () => {
  it('foreign keys: rows of both sides change, move and go; the two need not agree on partitions', async () => {
    await topics({ orders: 3, products: 2 })
    const topology = defineTopology('shop', (b) => {
      const orders = b.table<string, string>('orders', TEXT)
      const products = b.table<string, string>('products', TEXT)
      orders.leftJoin(products, (order, product) => `${order}=${product}`, {
        foreignKey: (order) => order.split('/')[0],
        value: string(),
        store: 'priced'
      })
    })
    await throughRestarts(topology, [
      async (app) => {
        await produce('products', 2, [
          ['tea', '3'],
          ['cup', '7']
        ])
        await produce('orders', 3, [
          ['o1', 'tea/1'],
          ['o2', 'cup/1'],
          ['o3', 'tea/2'],
          ['o4', 'jam/1']
        ])
        await reaches(app, 'priced', { o1: 'tea/1=3', o2: 'cup/1=7', o3: 'tea/2=3', o4: 'jam/1=null' })
      },
      async (app) => {
        await produce('products', 2, [
          ['tea', '4'],
          ['jam', '9'],
          ['cup', null]
        ])
        await reaches(app, 'priced', { o1: 'tea/1=4', o2: 'cup/1=null', o3: 'tea/2=4', o4: 'jam/1=9' })
      },
      async (app) => {
        await produce('orders', 3, [
          ['o1', 'jam/5'],
          ['o3', null]
        ])
        await reaches(app, 'priced', { o1: 'jam/5=9', o2: 'cup/1=null', o4: 'jam/1=9' })
        await produce('products', 2, [
          ['tea', '5'],
          ['jam', '8']
        ])
        await reaches(app, 'priced', { o1: 'jam/5=8', o2: 'cup/1=null', o4: 'jam/1=8' })
      }
    ])
  })

  it('foreign keys of tables that have partitioners of their own: questions find the rows', async () => {
    await topics({ orders: 3, products: 2 })
    const byLetter = (name: string, partitions: number) => name.charCodeAt(0) % partitions
    const byNumber = (order: string, partitions: number) => Number(order.slice(1)) % partitions
    const shop = (partitioners: ForeignKeyPartitioners<string, string>) =>
      defineTopology('partitioned-shop', (b) => {
        const orders = b.table<string, string>('orders', TEXT)
        const products = b.table<string, string>('products', TEXT)
        orders.leftJoin(products, (order, product) => `${order}=${product}`, {
          name: 'priced-orders',
          foreignKey: (order) => order,
          value: string(),
          store: 'priced',
          partitioners
        })
      })
    const rows = async (topic: string, of: Readonly<Record<string, string>>, partitionOf: (key: string) => number) => {
      const producer = log.producer()
      for (const [key, value] of Object.entries(of))
        producer.enqueue(topic, partitionOf(key), Buffer.from(key), Buffer.from(value), 0)
      await producer.close()
    }
    const prices = { tea: '3', cup: '7', jam: '2', pan: '9', oil: '4' }
    await rows('products', prices, (name) => byLetter(name, 2))
    const orders = { o1: 'tea', o2: 'cup', o3: 'jam', o4: 'pan', o5: 'oil', o6: 'egg' }
    await rows('orders', orders, (order) => byNumber(order, 3))
    const expected = { o1: 'tea=3', o2: 'cup=7', o3: 'jam=2', o4: 'pan=9', o5: 'oil=4', o6: 'egg=null' }
    await throughRestarts(shop({ right: byLetter }), [
      (app) => reaches(app, 'priced', expected),
      async (app) => {
        await rows('products', { tea: '5' }, (name) => byLetter(name, 2))
        await reaches(app, 'priced', { ...expected, o1: 'tea=5' })
      }
    ])
    await throughRestarts(shop({ left: byNumber, right: byLetter }), [
      async (app) => {
        await rows('orders', { o2: 'oil' }, (order) => byNumber(order, 3))
        await reaches(app, 'priced', { ...expected, o1: 'tea=5', o2: 'oil=4' })
      }
    ])
  })

  it('a grouped table takes out what its rows were', async () => {
    await topics({ users: 3 })
    const topology = defineTopology('regions', (b) => {
      b.table<string, string>('users', TEXT)
        .groupBy((region) => region)
        .count({ store: 'users-per-region' })
        .mapValues(String, { value: string(), store: 'as-text' })
    })
    await throughRestarts(topology, [
      async (app) => {
        await produce('users', 3, [
          ['ann', 'north'],
          ['bob', 'south'],
          ['cid', 'north'],
          ['dan', 'south']
        ])
        await reaches(app, 'as-text', { north: '2', south: '2' })
      },
      async (app) => {
        await produce('users', 3, [
          ['ann', 'south'],
          ['bob', null],
          ['eve', 'east']
        ])
        await reaches(app, 'as-text', { east: '1', north: '1', south: '2' })
      }
    ])
  })

  it('a stream finds the rows of a global table that came before it started, and those that come later', async () => {
    await topics({ clicks: 3, campaigns: 2 })
    const topology = defineTopology('campaigns', (b) => {
      const campaigns = b.globalTable<string, string>('campaigns', { ...TEXT, store: 'campaigns' })
      b.stream<string, string>('clicks', TEXT)
        .leftJoin(campaigns, (click, campaign) => `${click}:${campaign}`, { key: (click) => click, value: string() })
        .toTable({ store: 'seen' })
    })
    await produce('campaigns', 2, [
      ['spring', 'S'],
      ['summer', 'U']
    ])
    await throughRestarts(topology, [
      async (app) => {
        await produce('clicks', 3, [
          ['c1', 'spring'],
          ['c2', 'winter'],
          ['c3', 'summer']
        ])
        await reaches(app, 'seen', { c1: 'spring:S', c2: 'winter:null', c3: 'summer:U' })
        await produce('campaigns', 2, [['winter', 'W']])
        await expect.poll(() => app.store('campaigns').get('winter')).toBe('W')
        await produce('clicks', 3, [['c2', 'winter']])
        await reaches(app, 'seen', { c1: 'spring:S', c2: 'winter:W', c3: 'summer:U' })
      },
      async (app) => {
        await produce('clicks', 3, [['c4', 'winter']])
        await reaches(app, 'seen', { c1: 'spring:S', c2: 'winter:W', c3: 'summer:U', c4: 'winter:W' })
      }
    ])
  })

  it('two streams: what waited before a restart is matched, or given up, after it', async () => {
    await topics({ left: 1, right: 1 })
    const topology = defineTopology('near', (b) => {
      b.stream<string, string>('left', TEXT)
        .leftJoin(b.stream<string, string>('right', TEXT), (one, other) => `${one}+${other}`, {
          within: 10,
          grace: 5,
          value: string()
        })
        .toTable({ store: 'pairs' })
    })
    await throughRestarts(topology, [
      async (app) => {
        await produce('left', 1, [
          ['a', 'a1', 100],
          ['b', 'b1', 101]
        ])
        await produce('right', 1, [['c', 'c1', 102]])
        await produce('left', 1, [['c', 'c2', 103]])
        await reaches(app, 'pairs', { c: 'c2+c1' })
      },
      async (app) => {
        await produce('right', 1, [['a', 'a2', 110]])
        await reaches(app, 'pairs', { a: 'a1+a2', c: 'c2+c1' })
      },
      async (app) => {
        await produce('left', 1, [['z', 'z1', 200]])
        await reaches(app, 'pairs', { a: 'a1+a2', b: 'b1+null', c: 'c2+c1' })
      }
    ])
  })
})
