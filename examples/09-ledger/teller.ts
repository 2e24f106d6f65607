import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@millrace/log'
import { CommittedReader } from '../committed-reader.ts'
import { paymentRun } from './payments.ts'
import type { Posting } from './topology.ts'

/** How much there is to do, and how fast. */
export interface TellerOptions {
  readonly runs: number
  readonly perSecond: number
}

/**
 * Writes payment runs, each in a transaction of the log: all of its postings or none. Whoever was killed in between does not know what became of the
 * last one, so a teller first fences its predecessor, which settles that, and then looks.
 */
export async function writePayments(log: Log, options: TellerOptions, interrupted: AbortSignal): Promise<void> {
  const producer = log.producer({ transactionalId: 'teller', acks: -1 })
  try {
    await producer.initTransactions()
    for (let run = await firstUnwritten(log); run < options.runs && !interrupted.aborted; run++) {
      const { ledger, postings } = paymentRun(run)
      producer.beginTransaction()
      for (const posting of postings) {
        // Not awaited one by one: the commit waits for all acknowledgements, and fails if there is one that did not come.
        void producer
          .send({ topic: 'postings', key: Buffer.from(ledger), value: Buffer.from(JSON.stringify(posting)) })
          .catch(() => undefined)
      }
      await producer.commitTransaction()
      await sleep(1000 / options.perSecond)
    }
  } finally {
    await producer.close()
  }
}

/** One more than the last run that is on the log. */
async function firstUnwritten(log: Log): Promise<number> {
  const reader = await CommittedReader.open(log, 'postings')
  let next = 0
  for (const { value } of await reader.readOn()) {
    const { id }: Posting = JSON.parse(value)
    next = Math.max(next, Number.parseInt(id, 10) + 1)
  }
  await reader.close()
  return next
}
