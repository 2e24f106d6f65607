import { MillraceError } from '@millrace/log'

/** What a contract suite waited for did not come true. */
export class NotYetError extends MillraceError {
  readonly code = 'CONNECTORS_CONTRACT_NOT_YET'
}

const EVERY_MS = 10

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
    const answer = await ask()
    if (right(answer)) return answer
    if (performance.now() - beganMs > limitMs) {
      const shown = JSON.stringify(answer instanceof Map ? [...answer] : answer)?.slice(0, 500)
      throw new NotYetError(`${what} did not come true within ${limitMs} ms; last seen: ${shown}`)
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}
