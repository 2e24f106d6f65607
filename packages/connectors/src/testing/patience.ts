import { MillraceError } from '@millrace/log'

/** What a contract suite waited for did not come true. */
export class NotYetError extends MillraceError {
  readonly code = 'CONNECTORS_CONTRACT_NOT_YET'
}

const EVERY_MS = 10
const RARELY_MS = 1000

/**
 * Asks again and again until the answer is right.
 * @throws NotYetError with the last answer, after `limitMs` (default 60 seconds).
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T> | T,
  right: (answer: T) => boolean,
  limitMs = 60_000
): Promise<T> {
  const beganMs = performance.now()
  for (;;) {
    const askedMs = performance.now()
    const answer = await ask()
    if (right(answer)) return answer
    const answeredMs = performance.now()
    if (answeredMs - beganMs > limitMs) {
      const shown = JSON.stringify(answer instanceof Map ? [...answer] : answer)?.slice(0, 500)
      throw new NotYetError(`${what} did not come true within ${limitMs} ms; last seen: ${shown}`)
    }
    // Asking may cost what is waited for the processor: it has a third of the time at most.
    const pauseMs = Math.min(Math.max(EVERY_MS, 2 * (answeredMs - askedMs)), RARELY_MS)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
