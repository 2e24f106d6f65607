import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@millrace/log'
import { CommittedReader } from '../committed-reader.ts'
import { accountKey, BANK, type Entry } from './topology.ts'

const EVERY_MS = 20

/**
 * Adds up the entries by itself, from the first one ever, and trusts nobody: at every committed point the debits and credits of each ledger must be
 * equal, each entry must say the balance that the sum of the entries before it gives, and no account but the bank's may be below zero.
 */
export class Audit {
  /** By ledger and account. */
  readonly balances = new Map<string, number>()
  readonly problems: string[] = []
  /** Sums of the ledgers: zero at each committed point. */
  readonly sums = new Map<string, number>()
  /** Ids of the postings that were booked. */
  readonly postings = new Set<string>()
  /** Committed points with something new that were looked at. */
  points = 0
  entries = 0
  #lastPosting = ''

  add(ledger: string, { posting, account, cents, balance }: Entry): void {
    const key = accountKey(ledger, account)
    const sum = (this.balances.get(key) ?? 0) + cents
    this.balances.set(key, sum)
    this.sums.set(ledger, (this.sums.get(ledger) ?? 0) + cents)
    this.entries++
    const id = `${ledger} ${posting}`
    if (id !== this.#lastPosting && this.postings.has(id)) this.problems.push(`posting ${id} was booked twice`)
    this.postings.add(id)
    this.#lastPosting = id
    if (sum !== balance) this.problems.push(`posting ${id}: ${account} has ${balance}, by its entries ${sum}`)
    if (sum < 0 && account !== BANK) this.problems.push(`posting ${id}: ${account} is below zero (${sum})`)
  }

  committedPoint(): void {
    this.points++
    for (const [ledger, sum] of this.sums) {
      if (sum !== 0) this.problems.push(`${ledger}: debits and credits differ by ${sum} after ${this.entries} entries`)
    }
  }
}

/** Looks at one committed point after the other, until it is interrupted. */
export async function auditEntries(log: Log, audit: Audit, interrupted: AbortSignal): Promise<void> {
  const reader = await CommittedReader.open(log, 'entries')
  while (!interrupted.aborted) {
    const records = await reader.readOn()
    for (const { key, value } of records) audit.add(key, JSON.parse(value))
    if (records.length > 0) audit.committedPoint()
    await sleep(EVERY_MS)
  }
  await reader.close()
}
