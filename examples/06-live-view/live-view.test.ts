import { join } from 'node:path'
import { type ChangeEvent, rowKey } from '@millrace/connectors'
import { missingPostgres, startPostgres } from '@millrace/connectors/testing/postgres'
import { TopologyTestDriver } from '@millrace/streams/testing'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { runProcess } from '../example-process.ts'
import { type CityTotal, type Customer, liveView, type Order, SOURCE } from './topology.ts'

const LIMIT_MS = 120_000
const main = join(import.meta.dirname, 'main.ts')

describe('the live view', () => {
  it('follows orders that come, change and go, and customers who move', async () => {
    const driver = await TopologyTestDriver.open(liveView)
    const customers = driver.input<number, ChangeEvent<Customer>>(`${SOURCE}.${SOURCE}.customers`, {
      key: rowKey('id')
    })
    const orders = driver.input<number | null, ChangeEvent<Order>>(`${SOURCE}.${SOURCE}.orders`)
    const change = <R>(op: 'c' | 'u' | 'd' | 't', after: R | null) => ({
      op,
      before: null,
      after,
      source: {},
      ts_ms: 0
    })
    const live = (id: number, city: string) => customers.pipe(id, change('u', { id, name: `${id}`, city }))
    const order = (id: number, customer_id: number, cents: number) =>
      orders.pipe(id, change('c', { id, customer_id, cents }))
    const cities = () =>
      ['Oslo', 'Lima'].map(
        (city) => driver.store<string, CityTotal>('cities').get(city)?.value ?? { orders: 0, cents: 0 }
      )

    await live(1, 'Oslo')
    await order(10, 1, 500)
    await order(11, 1, 700)
    await order(12, 2, 100)
    expect(cities()).toEqual([
      { orders: 2, cents: 1200 },
      { orders: 0, cents: 0 }
    ])
    await live(2, 'Lima')
    await order(11, 2, 750)
    expect(cities()).toEqual([
      { orders: 1, cents: 500 },
      { orders: 2, cents: 850 }
    ])
    await live(1, 'Lima')
    expect(cities()).toEqual([
      { orders: 0, cents: 0 },
      { orders: 3, cents: 1350 }
    ])
    await orders.pipe(10, change<Order>('d', null))
    expect(cities()).toEqual([
      { orders: 0, cents: 0 },
      { orders: 2, cents: 850 }
    ])
    await orders.pipe(null, change<Order>('t', null))
    expect(cities()).toEqual([
      { orders: 0, cents: 0 },
      { orders: 0, cents: 0 }
    ])
    await driver.close()
  })

  it('says what is wrong with a connection', async () => {
    const refused = await runProcess(main, ['--connection', 'postgres://nobody@127.0.0.1:1/none'])
    expect(refused.end).toBe(1)
    expect(refused.lines).toEqual([expect.stringMatching(/^cannot connect with --connection: .*ECONNREFUSED/)])
  })
})

describe.skipIf(missingPostgres() !== undefined)(`with PostgreSQL ${missingPostgres() ?? ''}`, () => {
  it(
    'is equal to what SQL says, and leaves nothing behind in a database that is not its own',
    async () => {
      const server = await startPostgres()
      const url = await server.createDatabase('mine')
      const run = await runProcess(main, ['--connection', url, '--transactions', '120', '--rate', '60'])
      expect(run.lines.slice(-2)).toEqual(['', 'SQL says the same.'])
      expect(run.end).toBe(0)
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const left = await client.query(`
      SELECT slot_name::text AS name FROM pg_replication_slots UNION ALL SELECT pubname::text FROM pg_publication
      UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'example%'`)
      expect(left.rows).toEqual([])
      await client.end()
      await server.stop()
    },
    LIMIT_MS
  )

  it(
    'starts a server of its own, and ends in order with Ctrl-C',
    async () => {
      const isTime = (line: string) => /, seen [\d,]+ ms/.test(line)
      const run = await runProcess(main, [], { signal: 'SIGINT', isTime })
      expect(run.lines[0]).toMatch(/^a PostgreSQL 18 of its own/)
      expect(run.lines.slice(-2)).toEqual(['', 'SQL says the same.'])
      expect(run.end).toBe(0)
    },
    LIMIT_MS
  )
})
