import type { Environment } from '../environment/environment.ts'
import { DisconnectedError } from '../transport/errors.ts'
import type { SendOptions, Transport } from '../transport/transport.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'

/**
 * What befalls a request:
 * - `lose-request`: it never arrives; the sender sees a lost connection;
 * - `lose-answer`: it is carried out, and the sender sees a lost connection;
 * - `duplicate`: it is carried out twice, and the second answer is seen, as after a repetition below the client;
 * - `{ delayMs }`: its answer takes longer.
 */
export type Fault = 'lose-request' | 'lose-answer' | 'duplicate' | { readonly delayMs: number }

/** Decides about each request; undefined for no fault. */
export type FaultPlan = (api: Api, request: unknown) => Fault | undefined

/** A transport whose requests meet faults. Without a plan it passes everything through. */
export class FaultyTransport implements Transport {
  /** Requests seen, by API name. */
  readonly sent = new Map<string, number>()
  #plan: FaultPlan = () => undefined
  readonly #inner: Transport
  readonly #environment: Environment

  constructor(inner: Transport, environment: Environment) {
    this.#inner = inner
    this.#environment = environment
  }

  /** From now on requests fare as `plan` says. */
  plan(plan: FaultPlan): void {
    this.#plan = plan
  }

  /** From now on everything goes well. */
  heal(): void {
    this.#plan = () => undefined
  }

  async send<A extends Api>(api: A, request: RequestOf<A>, options?: SendOptions): Promise<ResponseOf<A>> {
    this.sent.set(api.name, (this.sent.get(api.name) ?? 0) + 1)
    const fault = this.#plan(api, request)
    if (fault === 'lose-request') throw new DisconnectedError(`${api.name} was lost on its way`)
    // The first one gives its batches away; the second one has to have its own.
    const again = fault === 'duplicate' ? copyOf(request) : undefined
    const answer = await this.#inner.send(api, request, options)
    if (again !== undefined) return await this.#inner.send(api, again, options)
    if (fault === 'lose-answer') throw new DisconnectedError(`the answer to ${api.name} was lost`)
    if (typeof fault === 'object') await this.#pause(fault.delayMs)
    return answer
  }

  version(api: Api, node?: number): Promise<number> {
    return this.#inner.version(api, node)
  }

  feature(name: string): Promise<number> {
    return this.#inner.feature(name)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#environment.timers.set(delayMs, resolve)
    })
  }
}

/** The `count` next requests of an API meet `fault`; all others, and those after, go well. */
export function nextRequests(api: Api, fault: Fault, count = 1): FaultPlan {
  let left = count
  return (asked) => (asked === api && left-- > 0 ? fault : undefined)
}

function copyOf<T>(value: T): T {
  if (Buffer.isBuffer(value)) return Buffer.from(value) as T
  if (Array.isArray(value)) return value.map(copyOf) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)])) as T
}
