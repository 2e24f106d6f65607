import type { Environment } from '../environment/environment.ts'
import { ClientTimeoutError } from './errors.ts'

/** Resolves `delayMs` from now. */
export function pause(environment: Environment, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    environment.timers.set(delayMs, resolve)
  })
}

/** How long to wait before attempt `attempt` (1 for the first repetition): doubling from `firstMs` up to `maxMs`. */
export function backoffMs(attempt: number, bounds: BackoffBounds): number {
  return Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(attempt - 1, 20))
}

/** Bounds of an exponential backoff, milliseconds. */
export interface BackoffBounds {
  readonly firstMs: number
  readonly maxMs: number
}

/** How a request is repeated. */
export interface RetryPolicy {
  /** What the error says was attempted, e.g. `fetching committed offsets of group 'g'`. */
  readonly what: string
  /** Milliseconds after the first attempt in which another one may start. */
  readonly timeoutMs: number
  /** Default 20 ms, doubling to 1 s. */
  readonly backoff?: BackoffBounds
  /** Whether trying again may help. Called once per failure, so it may also drop what the failure proved stale. */
  retriable(error: unknown): boolean
}

const defaultBackoff: BackoffBounds = { firstMs: 20, maxMs: 1_000 }

/**
 * Runs `attempt` until it succeeds or fails for good.
 * @throws ClientTimeoutError when `timeoutMs` is over, with the last failure as its cause; or the failure that is not retriable.
 */
export async function retry<T>(environment: Environment, policy: RetryPolicy, attempt: () => Promise<T>): Promise<T> {
  const startMs = environment.clock.monotonicMs()
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (cause) {
      if (!policy.retriable(cause)) throw cause
      const delayMs = backoffMs(failures, policy.backoff ?? defaultBackoff)
      const spentMs = environment.clock.monotonicMs() - startMs
      if (spentMs + delayMs > policy.timeoutMs) {
        const message = `${policy.what} did not succeed within ${policy.timeoutMs} ms (${failures} attempts): ${describe(cause)}`
        throw new ClientTimeoutError(message, { cause })
      }
      await pause(environment, delayMs)
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
