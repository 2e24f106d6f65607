import { readFileSync } from 'node:fs'

/**
 * How long this process has waited for a processor since it began, milliseconds: what other programs took, as Linux counts it. 0 where the system does not
 * tell, so that a limit is never wider for it.
 */
export function runDelayMs(): number {
  try {
    const [, delayNs = '0'] = readFileSync('/proc/self/schedstat', 'utf8').split(' ')
    return Number(delayNs) / 1e6
  } catch {
    return 0
  }
}
