import { UsageError } from '@millrace/log'

/**
 * Checks a count that a program gave.
 * @throws UsageError when it is not a whole number, or below `least`.
 */
export function wholeCount(what: string, count: number, least: number): number {
  if (Number.isSafeInteger(count) && count >= least) return count
  throw new UsageError(`${what} is ${count}: give a whole number from ${least} on`)
}
