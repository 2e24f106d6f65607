/** `npm run example -- 09 [--data DIRECTORY] [--runs 1000] [--rate 50]` */
import { openLog } from '@millrace/log'
import { runStreams } from '@millrace/streams'
import { example, failureOf, positiveNumber } from '../example.ts'
import { bold, dim, livePage, number, type Picture } from '../live-page.ts'
import { Audit, auditEntries } from './audit.ts'
import { LEDGERS, paymentRun } from './payments.ts'
import { writePayments } from './teller.ts'
import { accountKey, type LedgerCount, ledger } from './topology.ts'

const USAGE = `A bank that keeps its books right. Kill it, and run it again.

  npm run example -- 09 [options]

  --data DIR     where the log is               (./data-09)
  --runs 1000    payment runs, of all runs of the program together
  --rate 50      payment runs per second, of four payments each
`
const OPTIONS = { data: { type: 'string' }, runs: { type: 'string' }, rate: { type: 'string' } } as const
const COLUMN = 14

await example(USAGE, OPTIONS, async (values, interrupted) => {
  const runs = positiveNumber('--runs', values.runs ?? '1000')
  const perSecond = positiveNumber('--rate', values.rate ?? '50')
  let postings = 0
  for (let run = 0; run < runs; run++) postings += paymentRun(run).postings.length

  const log = await openLog(`file:${values.data ?? './data-09'}`)
  const app = await runStreams(ledger, { log, createTopics: { partitions: LEDGERS.length } }).catch(async (error) => {
    await log.close()
    throw error
  })
  const ending = new AbortController()
  const ended = AbortSignal.any([interrupted, ending.signal])
  const audit = new Audit()
  const teller = writePayments(log, { runs, perSecond }, ended)
  const auditor = auditEntries(log, audit, ended)
  try {
    const failures = [app.done, teller, auditor].map(failureOf)
    const finished = await Promise.race([...failures, livePage(ended, picture)])
    ending.abort()
    await Promise.all([teller, auditor])
    if (finished) await compare()
    if (audit.problems.length > 0) process.exitCode = 1
  } finally {
    ending.abort()
    await Promise.allSettled([teller, auditor])
    await app.close()
    await log.close()
  }

  async function picture(): Promise<Picture> {
    let booked = 0
    let rejected = 0
    for await (const { value } of app.store<string, LedgerCount>('counts').all()) {
      booked += value?.booked ?? 0
      rejected += value?.rejected ?? 0
    }
    const done = booked + rejected === postings && audit.postings.size === booked
    const checked = `${number(audit.points)} committed points, debits = credits at ${audit.problems.length === 0 ? 'each' : 'SOME'}`
    const figures = `${number(booked)} of ${number(postings)} postings booked, ${number(rejected)} rejected`
    const hint = `kill -9 ${process.pid}     ${dim('from another terminal, then run it again; Ctrl-C ends it in order')}`
    const lines = [...table(), '', figures, checked, ...audit.problems.slice(0, 3), '', hint]
    return { lines, plain: `${figures}; ${checked}`, done: done || audit.problems.length > 0 }
  }

  /** Balances, as the audit has them: an account a line, a ledger a column. */
  function table(): string[] {
    const accounts = [...new Set([...audit.balances.keys()].map((key) => key.slice(key.indexOf(' ') + 1)))].sort()
    const line = (title: string, cents: (ledger: string) => number | undefined) =>
      `${title.padEnd(10)}${LEDGERS.map((each) => money(cents(each)).padStart(COLUMN)).join('')}`
    return [
      bold(`${' '.repeat(10)}${LEDGERS.map((each) => each.padStart(COLUMN)).join('')}`),
      ...accounts.map((account) => line(account, (each) => audit.balances.get(accountKey(each, account)))),
      dim('─'.repeat(10 + COLUMN * LEDGERS.length)),
      line('sum', (each) => audit.sums.get(each))
    ]
  }

  /** What the topology keeps, against what the entries add up to. */
  async function compare(): Promise<void> {
    const kept = new Map<string, number | undefined>()
    for await (const { key, value } of app.store<string, number>('balances').all()) kept.set(key, value)
    const wrong = [...audit.balances].filter(([account, sum]) => kept.get(account) !== sum)
    for (const [account, sum] of wrong)
      audit.problems.push(`${account}: kept ${kept.get(account)}, by its entries ${sum}`)
    console.log(audit.problems.length === 0 ? '\nThe books are right: all balances are the sums of their entries.' : '')
    for (const problem of audit.problems) console.log(problem)
  }
})

function money(cents: number | undefined): string {
  return cents === undefined ? '' : (cents / 100).toLocaleString('en-US', { minimumFractionDigits: 2 })
}
