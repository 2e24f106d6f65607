import { defineTopology, json, string } from '@millrace/streams'

/** One side of a posting: credits are above zero, debits below. */
export interface Leg {
  readonly account: string
  readonly cents: number
}

/** Money that moves within a ledger; the key is the ledger. What its legs take from one account they give to others. */
export interface Posting {
  readonly id: string
  readonly legs: readonly Leg[]
}

/** A leg that was booked. */
export interface Entry extends Leg {
  readonly posting: string
  /** Of the account, after this entry. */
  readonly balance: number
}

/** A posting that was not booked, and why. */
export interface Rejected {
  readonly posting: string
  readonly reason: string
}

/** How much a ledger has seen. */
export interface LedgerCount {
  readonly booked: number
  readonly rejected: number
}

/** May owe: all money comes from it. Nobody else can spend what is not there. */
export const BANK = 'bank'

/** Balances are kept by this: the accounts of a ledger are in one partition, so a posting is booked in one step. */
export const accountKey = (ledger: string, account: string) => `${ledger} ${account}`

/**
 * Books postings: an entry for each leg, and the balances that they leave, or a rejection. Entries, balances and what was consumed are one
 * transaction, so at every committed point debits and credits are equal.
 */
export const ledger = defineTopology('ledger', (b) => {
  const balances = b.store('balances', { key: string(), value: json<number>() })
  const counts = b.store('counts', { key: string(), value: json<LedgerCount>() })
  const { rejected, booked } = b
    .stream('postings', { key: string(), value: json<Posting>() })
    .processValues(
      ({ key, value: posting }, context) => {
        const kept = context.store('balances')
        const { booked, rejected } = context.store('counts').get(key) ?? { booked: 0, rejected: 0 }
        const after = posting.legs.map(({ account, cents }) => (kept.get(accountKey(key, account)) ?? 0) + cents)
        const reason = refusal(posting, after)
        if (reason !== undefined) {
          context.store('counts').put(key, { booked, rejected: rejected + 1 })
          return context.forward({ posting: posting.id, reason })
        }
        context.store('counts').put(key, { booked: booked + 1, rejected })
        for (const [i, { account, cents }] of posting.legs.entries()) {
          kept.put(accountKey(key, account), after[i])
          context.forward({ posting: posting.id, account, cents, balance: after[i] })
        }
      },
      { stores: [balances, counts], value: json<Entry | Rejected>() }
    )
    .split({ rejected: (value) => 'reason' in value }, { default: 'booked' })
  booked.to('entries')
  rejected.to('rejected-postings')
})

/** Why a posting cannot be booked; undefined when it can. `after`: the balances that its legs would leave. */
export function refusal({ legs }: Posting, after: readonly number[]): string | undefined {
  if (legs.reduce((sum, { cents }) => sum + cents, 0) !== 0) return 'debits and credits differ'
  if (new Set(legs.map(({ account }) => account)).size < legs.length) return 'an account is named twice'
  const short = legs.findIndex(({ account, cents }, i) => account !== BANK && cents < 0 && after[i] < 0)
  return short === -1 ? undefined : `${legs[short].account} has not enough`
}
