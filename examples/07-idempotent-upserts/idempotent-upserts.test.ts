import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openLog } from '@millrace/log'
import { afterAll, describe, expect, it } from 'vitest'
import { CommittedReader } from '../committed-reader.ts'
import { type Ending, runProcess } from '../example-process.ts'
import { ORDERS, orderChange } from './order-changes.ts'

/** More than any run gets to before it is killed. */
const ENDLESS = 10_000_000
const LIMIT_MS = 120_000
const main = join(import.meta.dirname, 'main.ts')
const directory = mkdtempSync(join(tmpdir(), 'millrace-upserts-'))

afterAll(() => rmSync(directory, { recursive: true }))

const run = (changes: number, ending?: Ending) =>
  runProcess(main, ['--data', directory, '--changes', String(changes), '--rate', '8000'], ending)

async function changesInLog(): Promise<number> {
  const log = await openLog(`file:${join(directory, 'log')}`)
  const reader = await CommittedReader.open(log, 'orders')
  const changes = await reader.readOn()
  await reader.close()
  await log.close()
  return changes.length
}

/** SIGKILL once the database shows so many changes. */
const killedAt = (changes: number): Ending => ({
  signal: 'SIGKILL',
  isTime: (line) => Number(/^orders (\d+)/.exec(line)?.[1] ?? 0) >= changes
})

function rowsOf(table: string, order = 'change'): Record<string, unknown>[] {
  const database = new DatabaseSync(join(directory, 'shop.db'), { timeout: 5_000 })
  try {
    return database.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).all()
  } finally {
    database.close()
  }
}

describe('upserts into SQLite', () => {
  let total = 0

  it(
    'leave each row once and as its last change says, however often the process is killed',
    async () => {
      for (const changes of [1, 4_000, 8_000])
        expect(await run(ENDLESS, killedAt(changes))).toMatchObject({ end: 'SIGKILL' })
      total = (await changesInLog()) + 4_000
      const last = await run(total)
      expect(last).toMatchObject({ end: 0 })
      expect(last.lines[0]).toMatch(/^The run before this one got as far as change [\d,]+; this one goes on/)
      expect(last.lines).toContainEqual(expect.stringMatching(/^orders +2,000 rows, .*; nothing was written again$/))

      const expected = Array.from({ length: ORDERS }, (_, i) => {
        const { order, value } = orderChange(total - ORDERS + i)
        return { order, ...value }
      })
      expect(rowsOf('orders')).toEqual(expected)
      expect(rowsOf('orders_by_hand')).toEqual(expected)
      expect(rowsOf('repeats', 'of_table').filter((row) => row.of_table === 'orders')).toEqual([])
    },
    LIMIT_MS
  )

  it(
    'have nothing to do in a second run',
    async () => {
      const before = [rowsOf('orders'), rowsOf('orders_by_hand'), rowsOf('repeats', 'of_table').length]
      expect(await run(total)).toMatchObject({ end: 0 })
      expect([rowsOf('orders'), rowsOf('orders_by_hand'), rowsOf('repeats', 'of_table').length]).toEqual(before)
    },
    LIMIT_MS
  )

  it('say what is wrong with an option', async () => {
    const mistyped = await runProcess(main, ['--change', '5'])
    expect(mistyped.end).toBe(2)
    expect(mistyped.lines[0]).toMatch(/^Unknown option '--change'/)
    expect(await runProcess(main, ['--rate', 'fast'])).toMatchObject({
      end: 2,
      lines: expect.arrayContaining(['--rate takes a whole number above 0, not fast'])
    })
  })
})
