import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLog } from '@millrace/log'
import { TopologyTestDriver } from '@millrace/streams/testing'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { CommittedReader } from '../committed-reader.ts'
import { type Ending, runProcess } from '../example-process.ts'
import { Audit } from './audit.ts'
import { paymentRun } from './payments.ts'
import { accountKey, BANK, type Entry, ledger, type Posting, type Rejected } from './topology.ts'

/** More than any run of the program gets to before it is killed. */
const ENDLESS = 10_000
const LIMIT_MS = 120_000
const main = join(import.meta.dirname, 'main.ts')
const directory = mkdtempSync(join(tmpdir(), 'millrace-ledger-'))

afterAll(() => rmSync(directory, { recursive: true }))

/** The books, kept with a pencil: what was booked of the payment runs, and what that leaves. */
function booksByHand(runs: number) {
  const balances = new Map<string, number>()
  const booked: string[] = []
  for (let run = 0; run < runs; run++) {
    const { ledger, postings } = paymentRun(run)
    for (const { id, legs } of postings) {
      const after = legs.map(({ account, cents }) => (balances.get(accountKey(ledger, account)) ?? 0) + cents)
      if (legs.some(({ account }, i) => account !== BANK && after[i] < 0)) continue
      for (const [i, { account }] of legs.entries()) balances.set(accountKey(ledger, account), after[i])
      booked.push(id)
    }
  }
  return { balances, booked }
}

/** The least number of payment runs that are so many postings. */
function runsOf(postings: number): number {
  let runs = 0
  for (let seen = 0; seen < postings; runs++) seen += paymentRun(runs).postings.length
  return runs
}

async function readAll(topic: string): Promise<{ key: string; value: string }[]> {
  const log = await openLog(`file:${directory}`)
  const reader = await CommittedReader.open(log, topic)
  const records = await reader.readOn()
  await reader.close()
  await log.close()
  return records.map(({ key, value }) => ({ key, value }))
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 0x1_0000_0000
  }
}

describe('the ledger', () => {
  it(
    'is right at every committed point and at the end, wherever it is killed',
    async () => {
      const args = (runs: number) => ['--data', directory, '--runs', String(runs), '--rate', '100']
      const random = seeded(3)
      for (let kill = 1; kill <= 4; kill++) {
        const least = kill * 40
        const ending: Ending = {
          signal: 'SIGKILL',
          isTime: (line) => Number.parseInt(line, 10) >= least,
          afterMs: Math.floor(random() * 200)
        }
        expect(await runProcess(main, args(ENDLESS), ending), `kill ${kill}`).toMatchObject({ end: 'SIGKILL' })
      }
      const runs = runsOf((await readAll('postings')).length) + 50
      const last = await runProcess(main, args(runs))
      expect(last.lines.at(-1)).toBe('The books are right: all balances are the sums of their entries.')
      expect(last.end).toBe(0)

      const { balances, booked } = booksByHand(runs)
      const entries = (await readAll('entries')).map(({ key, value }) => ({ key, entry: JSON.parse(value) as Entry }))
      const sums = new Map<string, number>()
      for (const { key, entry } of entries) {
        const account = accountKey(key, entry.account)
        sums.set(account, (sums.get(account) ?? 0) + entry.cents)
      }
      expect(Object.fromEntries(sums)).toEqual(Object.fromEntries(balances))
      expect(new Set(entries.map(({ entry }) => entry.posting))).toEqual(new Set(booked))
      expect(entries).toHaveLength(booked.length * 3 + 3 * 3)
      const rejected = await readAll('rejected-postings')
      const written = await readAll('postings')
      expect(written).toHaveLength(booked.length + rejected.length)
    },
    LIMIT_MS
  )

  it('books a posting whole or not at all', async () => {
    const driver = await TopologyTestDriver.open(ledger)
    const postings = driver.input<string, Posting>('postings')
    const post = (id: string, ...legs: [string, number][]) =>
      postings.pipe('EUR', { id, legs: legs.map(([account, cents]) => ({ account, cents })) })
    await post('open', [BANK, -100], ['ada', 100])
    await post('pay', ['ada', -60], ['grace', 60])
    await post('too much', ['ada', -60], ['grace', 60])
    await post('from nothing', ['ada', -10], ['grace', 20])
    await post('twice', ['ada', -10], ['ada', 10])
    expect(driver.output<string, Entry>('entries').readValues()).toEqual([
      { posting: 'open', account: BANK, cents: -100, balance: -100 },
      { posting: 'open', account: 'ada', cents: 100, balance: 100 },
      { posting: 'pay', account: 'ada', cents: -60, balance: 40 },
      { posting: 'pay', account: 'grace', cents: 60, balance: 60 }
    ])
    expect(driver.output<string, Rejected>('rejected-postings').readValues()).toEqual([
      { posting: 'too much', reason: 'ada has not enough' },
      { posting: 'from nothing', reason: 'debits and credits differ' },
      { posting: 'twice', reason: 'an account is named twice' }
    ])
    await driver.close()
  })
})

describe('the audit', () => {
  const entriesOf = (run: number): Entry[] => {
    const balances = new Map<string, number>()
    return [0, run * 3].flatMap((each) =>
      paymentRun(each).postings.flatMap(({ id, legs }) =>
        legs.map(({ account, cents }) => {
          balances.set(account, (balances.get(account) ?? 0) + cents)
          return { posting: id, account, cents, balance: balances.get(account) ?? 0 }
        })
      )
    )
  }

  const problemsOf = (entries: readonly Entry[]) => {
    const audit = new Audit()
    for (const entry of entries) audit.add('EUR', entry)
    audit.committedPoint()
    return audit.problems
  }

  it('finds an entry that is missing, written twice, or wrong', () => {
    const damage = fc.constantFrom<(entries: Entry[], at: number) => Entry[]>(
      (entries, at) => entries.toSpliced(at, 1),
      (entries, at) => entries.toSpliced(at, 0, entries[at]),
      (entries, at) => entries.with(at, { ...entries[at], cents: entries[at].cents + 1 }),
      (entries, at) => [...entries, ...entries.slice(0, at + 1)]
    )
    fc.assert(
      fc.property(damage, fc.integer({ min: 1, max: 50 }), fc.nat(17), (damaged, run, at) => {
        const entries = entriesOf(run)
        fc.pre(problemsOf(entries).length === 0)
        expect(problemsOf(damaged(entries, at))).not.toEqual([])
      })
    )
  })
})
