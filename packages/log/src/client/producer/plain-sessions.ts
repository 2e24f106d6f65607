import type { MillraceError } from '../../errors.ts'
import { ErrorCode, errorFromCode } from '../../wire/errors.ts'
import { initProducerId } from '../../wire/messages/index.ts'
import { retry } from '../backoff.ts'
import type { ClientContext } from '../client-context.ts'
import { ClientTimeoutError, FatalProducerError } from '../errors.ts'
import { isRetriableFailure } from '../request-failure.ts'
import type { ProducerConfig } from './producer-options.ts'
import { noIdentity, type ProducerIdentity, type ProducerSession } from './producer-session.ts'

const MAX_EPOCH = 0x7fff

/** A producer without idempotence: a repetition may write records twice. */
export const anonymousSession: ProducerSession = {
  transactionalId: null,
  idempotent: false,
  produceMaxVersion: undefined,
  identity: () => noIdentity,
  admits: () => true,
  startNewEpoch: () => {},
  failure: () => undefined,
  recordsFailed: () => {},
  onChange: () => {}
}

/**
 * An idempotent producer without transactions. Its producer id is its own alone, so it raises the epoch by itself when sequence numbers
 * have a gap that brokers would not forgive (KIP-360).
 */
export class IdempotentSession implements ProducerSession {
  readonly transactionalId = null
  readonly idempotent = true
  readonly produceMaxVersion = undefined
  readonly #context: ClientContext
  readonly #config: ProducerConfig
  readonly #listeners: (() => void)[] = []
  #identity: ProducerIdentity | undefined
  #initializing = false
  #failure: MillraceError | undefined

  constructor(context: ClientContext, config: ProducerConfig) {
    this.#context = context
    this.#config = config
  }

  identity(): ProducerIdentity | undefined {
    if (this.#identity === undefined && !this.#initializing && this.#failure === undefined) void this.#initialize()
    return this.#identity
  }

  admits(): boolean {
    return true
  }

  startNewEpoch(): void {
    if (this.#identity === undefined) return
    const { producerId, producerEpoch } = this.#identity
    this.#identity = producerEpoch < MAX_EPOCH ? { producerId, producerEpoch: producerEpoch + 1 } : undefined
  }

  failure(): MillraceError | undefined {
    return this.#failure
  }

  recordsFailed(error: MillraceError, fatal: boolean): void {
    if (fatal) this.#failure = error
  }

  onChange(changed: () => void): void {
    this.#listeners.push(changed)
  }

  async #initialize(): Promise<void> {
    this.#initializing = true
    const { environment, transport } = this.#context
    const timeoutMs = this.#config.deliveryTimeoutMs
    const policy = { what: 'getting a producer id', timeoutMs, retriable: isRetriableFailure }
    try {
      this.#identity = await retry(environment, policy, async () => {
        const request = { transactionalId: null, transactionTimeoutMs: 0x7fff_ffff, producerId: -1, producerEpoch: -1 }
        const { errorCode, producerId, producerEpoch } = await transport.send(initProducerId, request)
        if (errorCode !== ErrorCode.NONE) throw errorFromCode(errorCode)
        return { producerId, producerEpoch }
      })
    } catch (cause) {
      // What waits is given up after its own time; until then, and for what comes later, it is tried again.
      if (!(cause instanceof ClientTimeoutError)) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        this.#failure = new FatalProducerError(`the producer got no producer id: ${reason}`, { cause })
      }
    }
    this.#initializing = false
    for (const changed of this.#listeners) changed()
  }
}
