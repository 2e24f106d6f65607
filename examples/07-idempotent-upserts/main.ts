/** `npm run example -- 07 [--data DIRECTORY] [--changes 40000] [--rate 4000]` */
import { join } from 'node:path'
import { runConnectors } from '@millrace/connectors'
import { realEnvironment } from '@millrace/log'
import { example, failureOf, positiveNumber } from '../example.ts'
import { bar, bold, dim, livePage, number, type Picture } from '../live-page.ts'
import { ShopDatabase, TABLES } from './database.ts'
import { ORDERS, orderChanges } from './order-changes.ts'
import { ordersByHand, ordersSink } from './sinks.ts'

const USAGE = `Changes of orders go through the log into two tables of SQLite. Kill it, and run it again.

  npm run example -- 07 [options]

  --data DIR        where the log and the database are   (./data-07)
  --changes 40000   changes of all runs together
  --rate 4000       changes per second
`
const BAR_COLUMNS = 30

const OPTIONS = { data: { type: 'string' }, changes: { type: 'string' }, rate: { type: 'string' } } as const

await example(USAGE, OPTIONS, async ({ data = './data-07', ...values }, interrupted) => {
  const changes = positiveNumber('--changes', values.changes ?? '40000')
  const perSecond = positiveNumber('--rate', values.rate ?? '4000')
  realEnvironment().files.makeDirectory(data)
  const file = join(data, 'shop.db')
  const database = new ShopDatabase(file)
  const before = database.figures('orders').changes
  if (before > 0) console.log(`The run before this one got as far as change ${number(before)}; this one goes on.\n`)

  const app = await runConnectors({
    log: `file:${join(data, 'log')}`,
    connectors: [
      { source: orderChanges({ changes, perSecond }) },
      { sink: ordersSink(file), topics: ['orders'] },
      { sink: ordersByHand(file), topics: ['orders'] }
    ]
  })
  const finished = await Promise.race([failureOf(app.done), livePage(interrupted, picture)]).finally(() => app.close())
  if (finished) check()
  database.close()

  function picture(): Picture {
    const figures = TABLES.map((table) => ({ table, ...database.figures(table) }))
    const least = Math.min(...figures.map((each) => each.changes))
    const lines = figures.map(({ table, rows, repeats, ...each }) =>
      [
        table.padEnd(15),
        bar(each.changes / changes, BAR_COLUMNS),
        `change ${number(each.changes).padStart(7)}`,
        `${number(rows).padStart(6)} rows`,
        `written again: ${repeats === 0 ? 'none' : number(repeats)}`
      ].join('  ')
    )
    const hint = `kill -9 ${process.pid}     ${dim('from another terminal, then run it again; Ctrl-C ends it in order')}`
    const plain = figures.map(({ table, ...each }) => `${table} ${each.changes} (again: ${each.repeats})`).join('  ')
    return { lines: [...lines, '', hint], plain, done: least >= changes }
  }

  function check(): void {
    console.log('')
    for (const table of TABLES) {
      const { rows, changes: got, repeats } = database.figures(table)
      const wrong = database.wrongOrders(table, got).length
      const verdict = wrong === 0 ? 'each as its last change left it' : `${wrong} WRONG`
      const again = repeats === 0 ? 'nothing was written again' : `${number(repeats)} changes were written again`
      console.log(`${table.padEnd(15)} ${bold(`${number(rows)} rows`)}, ${verdict}; ${again}`)
      if (wrong > 0 || rows !== Math.min(ORDERS, got)) process.exitCode = 1
    }
  }
})
