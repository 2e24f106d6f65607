import { isExpired, isTimedOut } from '../../coordinator/transactions/expiry.ts'
import type { Environment, Timer } from '../../environment/environment.ts'
import type { TransactionShard, TransactionSlot } from './transaction-shard.ts'

/** When transactions are looked through; names and defaults are those of the broker's configuration. */
export interface TransactionScanConfig {
  readonly transactionalIdExpirationMs: number
  readonly transactionTimeoutScanIntervalMs: number
}

/** What the scan needs. */
export interface TransactionScanOptions {
  readonly environment: Environment
  readonly config: TransactionScanConfig
  readonly shards: () => Iterable<TransactionShard>
  /** Aborts the open transaction of a slot, fencing its producer. */
  readonly abort: (shard: TransactionShard, slot: TransactionSlot) => void
  readonly report: (error: unknown) => void
}

/** Looks through all transactional ids now and then: aborts what is open for too long, and forgets what is idle for too long. */
export class TransactionScan {
  readonly #options: TransactionScanOptions
  #timer: Timer | undefined
  #closed = false

  constructor(options: TransactionScanOptions) {
    this.#options = options
  }

  /** Looks after each interval from now on. */
  start(): void {
    if (this.#closed) return
    const { environment, config } = this.#options
    const run = (): void => {
      this.#run()
      this.start()
    }
    this.#timer = environment.timers.set(config.transactionTimeoutScanIntervalMs, run, { background: true })
  }

  /** Stops looking. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #run(): void {
    const nowMs = this.#options.environment.clock.nowMs()
    for (const shard of this.#options.shards()) {
      for (const slot of [...shard.slots.values()]) this.#look(shard, slot, nowMs)
    }
  }

  /** The scan goes on with the next id when one cannot be dealt with. */
  async #look(shard: TransactionShard, slot: TransactionSlot, nowMs: number): Promise<void> {
    const { abort, config, report } = this.#options
    const { transaction } = slot
    if (transaction === undefined || slot.ending !== undefined) return
    try {
      if (isTimedOut(transaction, nowMs)) abort(shard, slot)
      else if (isExpired(transaction, nowMs, config.transactionalIdExpirationMs)) await shard.forget(slot, nowMs)
    } catch (error) {
      report(error)
    }
  }
}
