import {
  decodeTransactionKey,
  decodeTransactionValue,
  encodeTransactionKey,
  encodeTransactionValue
} from '../../coordinator/transaction-records.ts'
import type { Transaction } from '../../coordinator/transactions/transaction.ts'
import type { Partition } from '../../partition/partition.ts'
import { StateLog } from './state-log.ts'

/** One transactional id as its coordinator holds it. */
export interface TransactionSlot {
  readonly transactionalId: string
  /** The latest state that was appended; undefined before the first. */
  transaction: Transaction | undefined
  /** Settles when that state is committed: nothing that follows from it is told to anybody before. */
  committed: Promise<void>
  /** Present from the decision to end a transaction until that is complete; rejects when it cannot be completed here. */
  ending: Promise<void> | undefined
}

/** The transactional ids of one partition of `__transaction_state`, and their log. */
export class TransactionShard {
  readonly partition: Partition
  readonly slots = new Map<string, TransactionSlot>()
  readonly #log: StateLog

  /** Reads the partition from start to end. @throws DecodeError, CorruptionError */
  constructor(partition: Partition) {
    this.partition = partition
    this.#log = new StateLog(partition)
    for (const [transactionalId, value] of this.#latestValues()) {
      const slot = this.slot(transactionalId)
      slot.transaction = decodeTransactionValue(transactionalId, value)
    }
  }

  /** The values that stand, undecoded: most records of the log were overtaken by later ones. */
  #latestValues(): Map<string, Buffer> {
    const latest = new Map<string, Buffer>()
    for (const batch of this.#log.batches()) {
      if (batch.isControl) continue
      const cursor = batch.records()
      while (cursor.next()) {
        const key = cursor.key()
        const transactionalId = key === null ? undefined : decodeTransactionKey(key)
        if (transactionalId === undefined) continue
        const value = cursor.value()
        if (value === null) latest.delete(transactionalId)
        else latest.set(transactionalId, value)
      }
    }
    return latest
  }

  /** The slot of a transactional id, made if it is missing. */
  slot(transactionalId: string): TransactionSlot {
    const present = this.slots.get(transactionalId)
    if (present !== undefined) return present
    const slot: TransactionSlot = {
      transactionalId,
      transaction: undefined,
      committed: Promise.resolve(),
      ending: undefined
    }
    this.slots.set(transactionalId, slot)
    return slot
  }

  /** Logs the next state and installs it. What depends on it waits for `slot.committed`. */
  log(slot: TransactionSlot, next: Transaction, nowMs: number): void {
    const record = { key: encodeTransactionKey(slot.transactionalId), value: encodeTransactionValue(next) }
    const { committed } = this.#log.write([record], { timestampMs: nowMs })
    slot.transaction = next
    slot.committed = committed
    // Not every state has someone waiting for it; whoever does sees the failure.
    committed.catch(() => undefined)
  }

  /** Forgets a transactional id. */
  async forget(slot: TransactionSlot, nowMs: number): Promise<void> {
    const tombstone = { key: encodeTransactionKey(slot.transactionalId), value: null }
    const { committed } = this.#log.write([tombstone], { timestampMs: nowMs })
    this.slots.delete(slot.transactionalId)
    await committed
  }
}
