import type { Environment } from '@millrace/log'

/** Resolves after `delayMs`, or as soon as the signal is aborted. */
export function sleep(environment: Pick<Environment, 'timers'>, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = environment.timers.set(delayMs, done)
    signal.addEventListener('abort', done)
  })
}
