import type { Broker } from '../broker/broker.ts'
import { BrokerClosedError } from '../broker/errors.ts'
import type { RequestSession } from '../broker/handler.ts'
import type { Timers } from '../environment/environment.ts'
import { UsageError } from '../errors.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import { DisconnectedError, RequestTimeoutError } from './errors.ts'
import type { SendOptions, Transport } from './transport.ts'

/** What a transport needs of a broker in its process. */
export type ServingBroker = Pick<Broker, 'serve' | 'serves' | 'features'>

/** How long a request waits for its answer when nothing else was said. */
const DEFAULT_TIMEOUT_MS = 30_000

/**
 * Hands requests to a broker in the same process, by reference: nothing is encoded and no batch is copied. The broker begins with requests
 * in the order in which they were sent, and each lane answers in that order.
 */
export class InProcessTransport implements Transport {
  readonly #broker: ServingBroker
  readonly #timers: Timers
  readonly #clientId: string
  readonly #lanes = new Map<string, Promise<void>>()
  readonly #pending = new Set<(error: Error) => void>()
  #closed = false

  constructor(broker: ServingBroker, options: { readonly timers: Timers; readonly clientId: string }) {
    this.#broker = broker
    this.#timers = options.timers
    this.#clientId = options.clientId
  }

  async send<A extends Api>(api: A, request: RequestOf<A>, options: SendOptions = {}): Promise<ResponseOf<A>> {
    if (this.#closed) throw closed(api)
    const session: RequestSession = {
      clientId: this.#clientId,
      clientHost: 'in-process',
      apiVersion: Math.min(api.maxVersion, options.maxVersion ?? api.maxVersion),
      inProcess: true
    }
    const answered = this.#inOrder(options.lane ?? 'main', this.#broker.serve(api, request, session))
    return await this.#withTimeout(answered, api, options.timeoutMs ?? DEFAULT_TIMEOUT_MS).catch((error) => {
      throw error instanceof BrokerClosedError ? closed(api) : error
    })
  }

  version(api: Api): Promise<number> {
    return Promise.resolve(this.#broker.serves(api) ? api.maxVersion : -1)
  }

  feature(name: string): Promise<number> {
    return Promise.resolve(this.#broker.features().get(name) ?? 0)
  }

  /** Requests that wait for an answer fail: nothing keeps the process alive for them. */
  close(): Promise<void> {
    this.#closed = true
    for (const fail of [...this.#pending]) fail(new DisconnectedError('the log was closed before the answer came'))
    return Promise.resolve()
  }

  /** The answer, once all requests sent before it on the lane are answered. */
  #inOrder<T>(lane: string, answer: Promise<T>): Promise<T> {
    const before = this.#lanes.get(lane)
    const answered = before === undefined ? answer : Promise.all([answer, before]).then(([response]) => response)
    const settled = answered.then(ignore, ignore).then(() => {
      if (this.#lanes.get(lane) === settled) this.#lanes.delete(lane)
    })
    this.#lanes.set(lane, settled)
    return answered
  }

  #withTimeout<T>(answer: Promise<T>, api: Api, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const settled = () => {
        timer.cancel()
        this.#pending.delete(fail)
      }
      const fail = (error: Error) => {
        settled()
        reject(error)
      }
      const timer = this.#timers.set(timeoutMs, () => {
        fail(new RequestTimeoutError(`${api.name} was not answered within ${timeoutMs} ms`))
      })
      this.#pending.add(fail)
      answer.then((response) => {
        settled()
        resolve(response)
      }, fail)
    })
  }
}

const ignore = () => undefined

/** In process there is no other broker to go to, and this one does not come back: trying again helps nothing. */
function closed(api: Api): UsageError {
  return new UsageError(`${api.name} was not sent: the log is closed. Open it again, and make new clients`)
}
