import { MillraceError } from '@millrace/log'

/** A length of time: `'250ms'`, `'10s'`, `'1m'`, `'6h'`, `'7d'`, or a number of milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** A duration that cannot be read, or is out of its range. `value` is what was given, `option` its name. */
export class DurationError extends MillraceError {
  readonly code = 'STREAMS_DURATION'
  readonly option: string
  readonly value: unknown

  constructor(option: string, value: unknown, problem: string) {
    const shown = typeof value === 'string' ? `'${value}'` : String(value)
    super(`${option} is ${shown}: ${problem}; write e.g. '250ms', '10s', '1m', '6h', '7d' or whole milliseconds`)
    this.option = option
    this.value = value
  }
}

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Milliseconds of a duration.
 * @param option What the duration is for, for the error: `size`, `grace`.
 * @param limits The least allowed, in milliseconds; default 0.
 * @throws DurationError when it is not a whole number of milliseconds, not below 2^53, or too small.
 */
export function durationMs(option: string, value: Duration, limits: { readonly leastMs?: number } = {}): number {
  const ms = typeof value === 'number' ? value : parse(option, value)
  const least = limits.leastMs ?? 0
  if (!Number.isSafeInteger(ms)) throw new DurationError(option, value, 'not a whole number of milliseconds')
  if (ms < least) throw new DurationError(option, value, `less than ${least} ms`)
  return ms
}

/** The shortest way to write milliseconds as one whole unit: 90,000 is `90s`, 60,000 is `1m`. Used in names. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0ms'
  if (ms % unitsMs.d === 0) return `${ms / unitsMs.d}d`
  if (ms % unitsMs.h === 0) return `${ms / unitsMs.h}h`
  if (ms % unitsMs.m === 0) return `${ms / unitsMs.m}m`
  if (ms % unitsMs.s === 0) return `${ms / unitsMs.s}s`
  return `${ms}ms`
}

function parse(option: string, value: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value)
  if (match === null) throw new DurationError(option, value, 'not a duration')
  const [, amount, unit] = match
  // 0.1s is 100.00000000000001 without the rounding.
  return Number((Number(amount) * unitsMs[unit as keyof typeof unitsMs]).toPrecision(15))
}
