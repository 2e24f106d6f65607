import { join } from 'node:path'
import type { SinkRecord } from '@millrace/connectors'
import { missingPostgres, startPostgres } from '@millrace/connectors/testing/postgres'
import { UsageError } from '@millrace/log'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { runProcess } from '../example-process.ts'
import { Subscriber } from './subscriber.ts'

const LIMIT_MS = 120_000
const main = join(import.meta.dirname, 'main.ts')

describe('a subscriber', () => {
  const event = (order: string, nr: number, id: string): SinkRecord => ({
    topic: 'outbox.event.order',
    partition: 0,
    offset: 0,
    key: Buffer.from(order),
    value: Buffer.from(JSON.stringify({ nr })),
    timestamp: 0,
    headers: [
      { key: 'id', value: Buffer.from(id) },
      { key: 'type', value: Buffer.from('Any') }
    ]
  })
  const heardOf = async (...events: SinkRecord[]) => {
    const subscriber = new Subscriber('order')
    if (subscriber.sink.delivery !== 'idempotent') throw new UsageError('it has a short form')
    const [signal, report] = [new AbortController().signal, () => undefined]
    await subscriber.sink.open([], { signal, report, environment: Object.create(null) })
    await subscriber.sink.write(events)
    return { problems: subscriber.problems, heard: [...subscriber.heard] }
  }

  it('takes a repeat for what it is, and notices what is missing', async () => {
    const both = [event('a', 1, 'x'), event('b', 1, 'y')]
    const right = {
      problems: [],
      heard: [
        ['order a', 2],
        ['order b', 1]
      ]
    }
    expect(await heardOf(...both, event('a', 2, 'z'))).toEqual(right)
    expect(await heardOf(...both, ...both, event('a', 2, 'z'))).toEqual(right)
    expect((await heardOf(...both, event('a', 3, 'z'))).problems).toEqual(['order a: event 3 came after 1'])
    expect((await heardOf(...both, event('b', 1, 'of a failed transaction'))).problems).toHaveLength(1)
  })
})

describe.skipIf(missingPostgres() !== undefined)(`with PostgreSQL ${missingPostgres() ?? ''}`, () => {
  it(
    'tells of every committed step once and in order, and leaves nothing behind',
    async () => {
      const server = await startPostgres()
      const url = await server.createDatabase('mine')
      const run = await runProcess(main, ['--connection', url, '--orders', '20', '--rate', '100'])
      expect(run.lines.slice(-3)).toEqual([
        '60 transactions committed, 11 rolled back; events of orders 60, of customers 20',
        '',
        'Every committed step was heard once, in order; nothing that was rolled back was.'
      ])
      expect(run.end).toBe(0)
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      expect((await client.query('SELECT FROM pg_replication_slots')).rowCount).toBe(0)
      await client.end()
      await server.stop()
    },
    LIMIT_MS
  )

  it(
    'ends in order with Ctrl-C',
    async () => {
      const isTime = (line: string) => /^[1-9]\d* transactions/.test(line)
      const run = await runProcess(main, ['--rate', '50'], { signal: 'SIGINT', isTime })
      expect(run.lines.at(-1)).toBe('Every committed step was heard once, in order; nothing that was rolled back was.')
      expect(run.end).toBe(0)
    },
    LIMIT_MS
  )
})
