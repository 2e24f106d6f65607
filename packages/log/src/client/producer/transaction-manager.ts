import { InvariantError, type MillraceError } from '../../errors.ts'
import { endTxn, produce, txnOffsetCommit } from '../../wire/messages/index.ts'
import type { ClientContext } from '../client-context.ts'
import {
  AbortableTransactionError,
  ClientTimeoutError,
  FatalProducerError,
  ProducerFencedError,
  TransactionAbortedError,
  UnknownOutcomeError
} from '../errors.ts'
import type { GroupMetadata, GroupOffset } from '../group-offset.ts'
import { transactionFailure } from './producer-failure.ts'
import type { ProducerConfig } from './producer-options.ts'
import type { ProducerIdentity, ProducerSession } from './producer-session.ts'
import { TransactionPartitions } from './transaction-partitions.ts'
import { type TransactionProtocol, TransactionRequests } from './transaction-requests.ts'
import {
  requireLegalCall,
  type TransactionCall,
  type TransactionState,
  transactionTransitions
} from './transaction-state.ts'

const secondProtocolLevel = 2
const secondProtocol = { produce: 12, endTxn: 5, txnOffsetCommit: 5 } as const
const lastProduceOfFirstProtocol = 11

/**
 * The transactions of one producer: its state, as whom it sends, and what a failure does to it. The protocol of the cluster is chosen when
 * it is initialized: the second (KIP-890) wherever brokers have it, since in the first a late request can end a later transaction.
 */
export class TransactionManager implements ProducerSession {
  readonly transactionalId: string
  readonly idempotent = true
  readonly #context: ClientContext
  readonly #requests: TransactionRequests
  readonly #partitions: TransactionPartitions
  readonly #listeners: (() => void)[] = []
  #state: TransactionState = 'uninitialized'
  #identity: ProducerIdentity | undefined
  #protocol: TransactionProtocol = 2
  #error: MillraceError | undefined
  /** Whether brokers may know of the open transaction, so that it has to be ended. */
  #begun = false

  constructor(context: ClientContext, config: ProducerConfig, transactionalId: string) {
    this.transactionalId = transactionalId
    this.#context = context
    this.#requests = new TransactionRequests(context, config, transactionalId)
    this.#partitions = new TransactionPartitions({
      add: (partitions) => this.#requests.addPartitions(this.#requireIdentity(), partitions),
      added: () => this.#changed(),
      failed: (cause) => this.#fail(transactionFailure(transactionalId, cause))
    })
  }

  get state(): TransactionState {
    return this.#state
  }

  get produceMaxVersion(): number | undefined {
    return this.#protocol === 1 ? lastProduceOfFirstProtocol : undefined
  }

  identity(): ProducerIdentity | undefined {
    return this.#state === 'inTransaction' || this.#state === 'preparingCommit' ? this.#identity : undefined
  }

  failure(): MillraceError | undefined {
    if (this.#state === 'preparingAbort' || this.#state === 'aborting') {
      return new TransactionAbortedError(`the transaction of '${this.transactionalId}' was aborted`)
    }
    return this.#error
  }

  admits(topic: string, partition: number): boolean {
    this.#begun = true
    return this.#protocol === 2 || this.#partitions.admits(topic, partition)
  }

  startNewEpoch(): void {
    throw new InvariantError('a transactional producer gets its epochs from the coordinator alone')
  }

  recordsFailed(cause: MillraceError, fatal: boolean): void {
    if (fatal) this.#fail(transactionFailure(this.transactionalId, cause.cause ?? cause))
    else
      this.#fail(new AbortableTransactionError(`the transaction cannot commit: ${cause.message}; abort it`, { cause }))
  }

  onChange(changed: () => void): void {
    this.#listeners.push(changed)
  }

  /**
   * Checks that a call is legal now.
   * @throws the error that stopped the transaction or the producer, or UsageError naming method and state.
   */
  require(call: TransactionCall): void {
    // What is asked with every record.
    if (call === 'send' && this.#state === 'inTransaction') return
    const stopped = this.#state === 'abortableError' || this.#state === 'fatalError'
    if (stopped && this.#error !== undefined && !(this.#state === 'abortableError' && call === 'abortTransaction')) {
      throw this.#error
    }
    requireLegalCall(call, this.#state)
  }

  /** Gets an epoch of its own, fencing whoever had the id; between transactions a new epoch. */
  async initialize(): Promise<void> {
    this.require('initTransactions')
    const current = this.#state === 'ready' ? this.#identity : undefined
    this.#become('initializing')
    try {
      this.#protocol = await this.#chooseProtocol()
      this.#identity = await this.#requests.initialize(current)
    } catch (cause) {
      if (!(cause instanceof ClientTimeoutError)) throw this.#fail(transactionFailure(this.transactionalId, cause))
      this.#become('uninitialized')
      throw cause
    }
    this.#error = undefined
    this.#become('ready')
  }

  begin(): void {
    this.require('beginTransaction')
    this.#partitions.clear()
    this.#begun = false
    this.#become('inTransaction')
  }

  async sendOffsets(offsets: readonly GroupOffset[], group: GroupMetadata): Promise<void> {
    this.require('sendOffsetsToTransaction')
    if (offsets.length === 0) return
    this.#begun = true
    const identity = this.#requireIdentity()
    try {
      if (this.#protocol === 1) await this.#requests.addOffsets(identity, group.groupId)
      await this.#requests.commitOffsets(identity, this.#protocol, { offsets, group })
    } catch (cause) {
      const timedOut = cause instanceof ClientTimeoutError
      const message = `the transaction cannot commit: its offsets were not taken in time; abort it`
      const error = timedOut ? new AbortableTransactionError(message, { cause }) : undefined
      throw this.#fail(error ?? transactionFailure(this.transactionalId, cause, group.groupId))
    }
  }

  /** Commits what was sent. `settled` resolves when no record is under way any more. Asked again after an unknown outcome, asks again. */
  async commit(settled: () => Promise<void>): Promise<void> {
    this.require('commitTransaction')
    if (this.#state === 'inTransaction') {
      this.#become('preparingCommit')
      await settled()
      if (this.#error !== undefined) throw this.#error
    }
    this.#become('committing')
    await this.#end(true)
  }

  /** Aborts. `settled` gives up what waits and resolves when no record is under way any more. */
  async abort(settled: () => Promise<void>): Promise<void> {
    this.require('abortTransaction')
    const begun = this.#begun
    if (this.#state !== 'aborting') {
      this.#become('preparingAbort')
      await settled()
      await this.#partitions.settled()
    }
    this.#become('aborting')
    await this.#end(false)
    // What was given up may leave gaps in the sequence numbers; the second protocol has just begun a new epoch anyway.
    if (begun && this.#protocol === 1) await this.initialize()
  }

  async #end(committed: boolean): Promise<void> {
    if (this.#begun) {
      const identity = this.#requireIdentity()
      try {
        this.#identity = await this.#requests.end(identity, this.#protocol, committed)
      } catch (cause) {
        throw this.#endFailed(committed, cause)
      }
    }
    this.#error = undefined
    this.#become('ready')
  }

  #endFailed(committed: boolean, cause: unknown): MillraceError {
    if (!(cause instanceof ClientTimeoutError)) return this.#fail(transactionFailure(this.transactionalId, cause))
    const verb = committed ? 'commit' : 'abort'
    const message = `whether the ${verb} of '${this.transactionalId}' took place is unknown: ${cause.message}; call ${verb}Transaction again`
    return new UnknownOutcomeError(this.transactionalId, message, { cause })
  }

  #fail(error: MillraceError): MillraceError {
    const fatal = error instanceof ProducerFencedError || error instanceof FatalProducerError
    if (fatal && this.#state !== 'fatalError') {
      this.#error = error
      this.#become('fatalError')
    } else if (transactionTransitions[this.#state].includes('abortableError')) {
      this.#error = error
      this.#become('abortableError')
    }
    return error
  }

  #become(next: TransactionState): void {
    if (!transactionTransitions[this.#state].includes(next)) {
      throw new InvariantError(`a producer's transaction went from '${this.#state}' to '${next}'`)
    }
    this.#state = next
    this.#changed()
  }

  #changed(): void {
    for (const changed of this.#listeners) changed()
  }

  #requireIdentity(): ProducerIdentity {
    if (this.#identity === undefined) throw new InvariantError('a transaction has no producer id')
    return this.#identity
  }

  async #chooseProtocol(): Promise<TransactionProtocol> {
    const { transport } = this.#context
    if ((await transport.feature('transaction.version')) < secondProtocolLevel) return 1
    const served = await Promise.all([
      transport.version(produce),
      transport.version(endTxn),
      transport.version(txnOffsetCommit)
    ])
    const needed = [secondProtocol.produce, secondProtocol.endTxn, secondProtocol.txnOffsetCommit]
    return served.every((version, index) => version >= needed[index]) ? 2 : 1
  }
}
