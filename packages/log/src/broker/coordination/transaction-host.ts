import { coordinatorPartition } from '../../coordinator/coordinator-partition.ts'
import { addPartitions, verifyPartitions } from '../../coordinator/transactions/add-partitions.ts'
import type { TransactionDecision } from '../../coordinator/transactions/decision.ts'
import {
  abortByCoordinator,
  completeTransaction,
  endTransaction
} from '../../coordinator/transactions/end-transaction.ts'
import { initProducerId } from '../../coordinator/transactions/init-producer-id.ts'
import {
  hasPartition,
  isEnding,
  type ProducerIdentity,
  type Transaction,
  type TransactionPartitions,
  type TransactionVersion
} from '../../coordinator/transactions/transaction.ts'
import type { Environment } from '../../environment/environment.ts'
import { InvariantError } from '../../errors.ts'
import type { Partition } from '../../partition/partition.ts'
import { AppendFailedError } from '../../storage/errors.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { type PartitionDirectory, TRANSACTIONS_TOPIC } from './partition-directory.ts'
import { type ProducerIdRange, ProducerIds } from './producer-ids.ts'
import { MarkerWriter, type OffsetsMarkerListener } from './transaction-markers.ts'
import { TransactionScan, type TransactionScanConfig } from './transaction-scan.ts'
import { TransactionShard, type TransactionSlot } from './transaction-shard.ts'

/** Limits of transactions; names and defaults are those of the broker's configuration. */
export interface TransactionConfig extends TransactionScanConfig {
  readonly transactionMaxTimeoutMs: number
}

/** What the host needs. */
export interface TransactionHostOptions {
  readonly environment: Environment
  readonly config: TransactionConfig
  readonly partitions: PartitionDirectory
  /** Has the cluster's metadata hand out the next block of producer ids. */
  readonly allocateProducerIds: () => Promise<ProducerIdRange>
  /** Told of markers in `__consumer_offsets`: the group host. */
  readonly offsets: OffsetsMarkerListener
  /** Hears of an ending that failed; it is taken up again when the partition is loaded next. */
  readonly report: (error: unknown) => void
}

/** An answer of the coordinator; the identity is -1, -1 with an error. */
export interface TransactionAnswer extends ProducerIdentity {
  readonly errorCode: number
}

/** A producer of a transactional id, as a request names it. */
export interface TransactionalProducer extends ProducerIdentity {
  readonly transactionalId: string
}

type Decide = (
  current: Transaction | undefined,
  freshProducerId: number | undefined,
  nowMs: number
) => TransactionDecision

/** How soon the end of a transaction is tried again that the disk had no room for. */
const END_RETRY_MS = 100

/**
 * Runs the transaction coordinator for the partitions of `__transaction_state` that this broker leads.
 *
 * Each request is decided by the pure functions of `coordinator/transactions`. What they decide is appended to the log at once, so that requests
 * follow each other without waiting for the disk; what follows from it - an answer, a marker - waits until it is committed. A request
 * that comes while its transactional id is ending a transaction waits for that too, instead of being sent away.
 */
export class TransactionHost {
  readonly #options: TransactionHostOptions
  readonly #producerIds: ProducerIds
  /** Writes the ends of transactions; also at the wish of another coordinator or an administrator. */
  readonly markers: MarkerWriter
  readonly #shards = new Map<number, TransactionShard>()
  readonly #scan: TransactionScan
  #closed = false

  constructor(options: TransactionHostOptions) {
    this.#options = options
    this.#producerIds = new ProducerIds(options.allocateProducerIds)
    this.markers = new MarkerWriter(options.partitions, options.offsets)
    this.#scan = new TransactionScan({
      ...options,
      shards: () => this.#shards.values(),
      abort: (shard, slot) => this.#abort(shard, slot)
    })
  }

  /**
   * Loads what is there, completes what was ending, and aborts the open transactions of producers that lived in this process, which is a new
   * one now. Call it once the partitions are open and the group host has started.
   */
  async start(): Promise<void> {
    const { partitions } = this.#options
    const endings: Promise<void>[] = []
    for (let index = 0; index < partitions.partitionCount(TRANSACTIONS_TOPIC); index += 1) {
      const partition = partitions.get(TRANSACTIONS_TOPIC, index)
      if (partition === undefined) continue
      const shard = this.#load(index, partition)
      for (const slot of shard.slots.values()) {
        const { transaction } = slot
        if (transaction?.status === 'Ongoing' && transaction.inProcess) this.#abort(shard, slot)
        if (slot.ending !== undefined) endings.push(slot.ending)
      }
    }
    this.#scan.start()
    await Promise.all(endings)
  }

  /** A producer id and epoch; of a transactional id, fencing whoever had it before. */
  async initProducerId(request: {
    readonly transactionalId: string | null
    readonly timeoutMs: number
    readonly expected: ProducerIdentity | undefined
    readonly inProcess: boolean
  }): Promise<TransactionAnswer> {
    const { transactionalId, timeoutMs } = request
    if (transactionalId === null) {
      return { errorCode: ErrorCode.NONE, producerId: await this.#producerIds.take(), producerEpoch: 0 }
    }
    if (transactionalId === '') return failed(ErrorCode.INVALID_REQUEST)
    if (timeoutMs <= 0 || timeoutMs > this.#options.config.transactionMaxTimeoutMs) {
      return failed(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    }
    return this.#carryOut(transactionalId, (current, freshProducerId, nowMs) =>
      initProducerId(current, { ...request, transactionalId, freshProducerId, nowMs })
    )
  }

  /** Makes partitions part of the producer's transaction, which begins with the first. Resolves with the error code. */
  async addPartitions(
    producer: TransactionalProducer,
    partitions: TransactionPartitions,
    clientVersion: TransactionVersion
  ): Promise<number> {
    const answer = await this.#carryOut(producer.transactionalId, (current, _fresh, nowMs) =>
      addPartitions(current, { ...producer, partitions, clientVersion, nowMs })
    )
    return answer.errorCode
  }

  /** Whether the partitions are part of the producer's open transaction: NONE, TRANSACTION_ABORTABLE if not, or another error code. */
  async verifyPartitions(producer: TransactionalProducer, partitions: TransactionPartitions): Promise<number> {
    const answer = await this.#carryOut(producer.transactionalId, (current, _fresh, nowMs) =>
      verifyPartitions(current, { ...producer, partitions, clientVersion: 0, nowMs })
    )
    return answer.errorCode
  }

  /**
   * The same, of one partition and at this very moment, for the instant before an append. It does not tell whether that is durable:
   * `addPartitions` and `verifyPartitions` wait for it.
   */
  isOpenIn(producer: TransactionalProducer, topic: string, partition: number): boolean {
    const transaction = this.#find(producer.transactionalId)?.slots.get(producer.transactionalId)?.transaction
    if (transaction === undefined || transaction.status !== 'Ongoing') return false
    const same = transaction.producerId === producer.producerId && transaction.producerEpoch === producer.producerEpoch
    return same && hasPartition(transaction, topic, partition)
  }

  /** Commits or aborts. Resolves once the decision is durable; the markers follow. */
  async endTransaction(
    producer: TransactionalProducer,
    options: { readonly commit: boolean; readonly clientVersion: TransactionVersion }
  ): Promise<TransactionAnswer> {
    return this.#carryOut(producer.transactionalId, (current, freshProducerId, nowMs) =>
      endTransaction(current, { ...producer, ...options, freshProducerId, nowMs })
    )
  }

  /** Stops the timers. Requests that are under way end with the partitions. */
  close(): void {
    this.#closed = true
    this.#scan.close()
  }

  async #carryOut(transactionalId: string, decide: Decide): Promise<TransactionAnswer> {
    let freshProducerId: number | undefined
    for (;;) {
      const shard = this.#find(transactionalId)
      if (shard === undefined) return failed(ErrorCode.NOT_COORDINATOR)
      const ending = shard.slots.get(transactionalId)?.ending
      if (ending !== undefined) {
        await ending
        continue
      }
      const nowMs = this.#nowMs()
      const decision = decide(shard.slots.get(transactionalId)?.transaction, freshProducerId, nowMs)
      switch (decision.kind) {
        case 'refuse':
          return failed(decision.errorCode)
        case 'accept':
          await shard.slot(transactionalId).committed
          return answered(decision.answer)
        case 'needs-producer-id':
          freshProducerId = await this.#producerIds.take()
          break
        case 'abort-first':
          this.#log(shard, shard.slot(transactionalId), decision.next)
          break
        case 'write': {
          const slot = shard.slot(transactionalId)
          this.#log(shard, slot, decision.next)
          await slot.committed
          return answered(decision.answer)
        }
      }
    }
  }

  /** Logs the next state; a decision to end the transaction is then carried through. */
  #log(shard: TransactionShard, slot: TransactionSlot, next: Transaction): void {
    shard.log(slot, next, this.#nowMs())
    if (isEnding(next)) this.#beginEnding(shard, slot)
  }

  #abort(shard: TransactionShard, slot: TransactionSlot): void {
    const { transaction } = slot
    if (transaction === undefined) throw new InvariantError(`transactional id ${slot.transactionalId} has no state`)
    this.#log(shard, slot, abortByCoordinator(transaction, { nowMs: this.#nowMs(), keepsProducer: false }))
  }

  #beginEnding(shard: TransactionShard, slot: TransactionSlot): void {
    slot.ending = this.#endWhenPossible(shard, slot)
    slot.ending.catch((error) => {
      if (!this.#closed) this.#options.report(error)
    })
  }

  /** What was decided must come to its end: on a full disk it is tried until there is space. A marker that is written twice ends nothing twice. */
  async #endWhenPossible(shard: TransactionShard, slot: TransactionSlot): Promise<void> {
    const { environment, report } = this.#options
    for (;;) {
      try {
        return await this.#end(shard, slot)
      } catch (error) {
        if (this.#closed || !(error instanceof AppendFailedError)) throw error
        report(error)
        await new Promise<void>((resolve) => environment.timers.set(END_RETRY_MS, resolve, { background: true }))
      }
    }
  }

  /** 1. The decision is durable. 2. Every partition has the marker, durable. 3. The end is logged as complete. */
  async #end(shard: TransactionShard, slot: TransactionSlot): Promise<void> {
    const { transaction } = slot
    if (transaction === undefined) throw new InvariantError(`transactional id ${slot.transactionalId} has no state`)
    await slot.committed
    await this.markers.writeAll(transaction.partitions, {
      producerId: transaction.producerId,
      producerEpoch: transaction.producerEpoch,
      coordinatorEpoch: shard.partition.leaderEpoch,
      commit: transaction.status === 'PrepareCommit',
      timestampMs: this.#nowMs()
    })
    shard.log(slot, completeTransaction(transaction, this.#nowMs()), this.#nowMs())
    slot.ending = undefined
  }

  #find(transactionalId: string): TransactionShard | undefined {
    const count = this.#options.partitions.partitionCount(TRANSACTIONS_TOPIC)
    if (count === 0) return undefined
    const index = coordinatorPartition(transactionalId, count)
    const partition = this.#options.partitions.get(TRANSACTIONS_TOPIC, index)
    if (partition === undefined) return undefined
    const shard = this.#shards.get(index)
    return shard?.partition === partition ? shard : this.#load(index, partition)
  }

  #load(index: number, partition: Partition): TransactionShard {
    const shard = new TransactionShard(partition)
    this.#shards.set(index, shard)
    for (const slot of shard.slots.values()) {
      if (slot.transaction !== undefined && isEnding(slot.transaction)) this.#beginEnding(shard, slot)
    }
    return shard
  }

  #nowMs(): number {
    return this.#options.environment.clock.nowMs()
  }
}

function failed(errorCode: number): TransactionAnswer {
  return { errorCode, producerId: -1, producerEpoch: -1 }
}

function answered({ producerId, producerEpoch }: ProducerIdentity): TransactionAnswer {
  return { errorCode: ErrorCode.NONE, producerId, producerEpoch }
}
