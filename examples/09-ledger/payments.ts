import { BANK, type Leg, type Posting } from './topology.ts'

/** Ledgers that exist. */
export const LEDGERS = ['EUR', 'USD', 'GBP'] as const
/** Accounts of each ledger, besides the bank's. */
export const ACCOUNTS = ['ada', 'grace', 'linus', 'margaret', 'ken'] as const
const FEES = 'fees'
const OPENING_CENTS = 100_000
const MOST_CENTS = 40_000
const PAYMENTS_PER_RUN = 4

/** Postings that are to be on the log together or not at all. */
export interface PaymentRun {
  readonly ledger: string
  readonly postings: readonly Posting[]
}

/** The payments of that number, from 0: the first of each ledger opens its accounts. The same number gives the same payments. */
export function paymentRun(run: number): PaymentRun {
  const ledger = LEDGERS[run % LEDGERS.length]
  if (run < LEDGERS.length) {
    const legs = ACCOUNTS.map((account): Leg => ({ account, cents: OPENING_CENTS }))
    return {
      ledger,
      postings: [{ id: `${run}.0`, legs: [{ account: BANK, cents: -OPENING_CENTS * legs.length }, ...legs] }]
    }
  }
  const postings = Array.from({ length: PAYMENTS_PER_RUN }, (_, i) =>
    payment(`${run}.${i}`, mixed(run * PAYMENTS_PER_RUN + i))
  )
  return { ledger, postings }
}

/** One pays another; a hundredth goes to the bank's fees. Now and then it is more than the payer has. */
function payment(id: string, random: number): Posting {
  const from = random % ACCOUNTS.length
  const to = (from + 1 + ((random >>> 4) % (ACCOUNTS.length - 1))) % ACCOUNTS.length
  const cents = 100 + ((random >>> 8) % MOST_CENTS)
  const fee = Math.round(cents / 100)
  const legs = [
    { account: ACCOUNTS[from], cents: -cents },
    { account: ACCOUNTS[to], cents: cents - fee },
    { account: FEES, cents: fee }
  ]
  return { id, legs }
}

function mixed(n: number): number {
  const once = Math.imul(n ^ (n >>> 15), 0x2c1b3c6d)
  return Math.imul(once ^ (once >>> 12), 0x297a2d39) >>> 0
}
