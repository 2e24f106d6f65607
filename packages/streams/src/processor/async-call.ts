import type { Environment, Timer } from '@millrace/log'
import type { AsyncCall, AsyncRetry } from '../graph/map-async-node.ts'
import { AsyncTimeoutError } from './errors.ts'

/** How a call ended. */
export type AsyncOutcome = { readonly value: unknown } | { readonly error: unknown }

/** What a call is made with. */
export interface CallParts {
  readonly environment: Pick<Environment, 'timers' | 'random'>
  readonly timeoutMs: number
  readonly retry: AsyncRetry
  run(call: AsyncCall): unknown
  /** Called once, never inside the call that began it; not at all after `abort`. */
  ended(outcome: AsyncOutcome): void
}

/**
 * One call of a program's asynchronous function: within its time, and repeated as the program wants it. Of an attempt whose time is up the signal is
 * aborted, and whatever it still brings is ignored.
 */
export class RunningCall {
  readonly #parts: CallParts
  #attempt = 0
  #controller: AbortController | undefined
  #timer: Timer | undefined
  #over = false

  private constructor(parts: CallParts) {
    this.#parts = parts
  }

  static begin(parts: CallParts): RunningCall {
    const call = new RunningCall(parts)
    call.#try()
    return call
  }

  /** Whether the function is at work; else it waits to be called again. */
  get atWork(): boolean {
    return this.#controller !== undefined
  }

  /** Nobody wants the result any more. */
  abort(): void {
    this.#over = true
    this.#timer?.cancel()
    this.#controller?.abort()
  }

  #try(): void {
    const { environment, timeoutMs, run } = this.#parts
    const attempt = ++this.#attempt
    const controller = new AbortController()
    this.#controller = controller
    const ended = (outcome: AsyncOutcome): void => {
      if (this.#over || this.#controller !== controller) return
      this.#controller = undefined
      this.#timer?.cancel()
      this.#ended(outcome)
    }
    this.#timer = environment.timers.set(timeoutMs, () => {
      const error = new AsyncTimeoutError(timeoutMs, attempt)
      ended({ error })
      controller.abort(error)
    })
    // What throws at once fails as what rejects.
    new Promise((resolve) => resolve(run({ signal: controller.signal, attempt }))).then(
      (value) => ended({ value }),
      (error: unknown) => ended({ error })
    )
  }

  #ended(outcome: AsyncOutcome): void {
    const { environment, ended } = this.#parts
    const decided = this.#decided(outcome)
    if (decided) ended(decided)
    else {
      this.#timer = environment.timers.set(this.#backoffMs(), () => {
        this.#try()
      })
    }
  }

  /** The outcome that counts; undefined: the call is made again. */
  #decided(outcome: AsyncOutcome): AsyncOutcome | undefined {
    const { retry } = this.#parts
    if ('value' in outcome || this.#attempt >= retry.maxAttempts) return outcome
    try {
      return retry.when?.(outcome.error) === false ? outcome : undefined
    } catch (error) {
      return { error }
    }
  }

  /** Between half of it and all of it, so that calls that failed together do not come back together. */
  #backoffMs(): number {
    const { environment, retry } = this.#parts
    const fullMs = Math.min(retry.maxBackoffMs, retry.backoffMs * 2 ** Math.min(this.#attempt - 1, 30))
    return Math.ceil(fullMs / 2 + (fullMs / 2) * (environment.random.uint32() / 0xffff_ffff))
  }
}
