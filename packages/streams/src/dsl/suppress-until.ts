import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../graph/duration.ts'
import { refuseUnknownOptions } from '../graph/option-names.ts'
import type { SuppressBounds } from '../graph/suppress-node.ts'
import type { Materialized } from './materialized.ts'
import type { LateOption, StepOptions } from './options.ts'

/** How long a suppress holds updates back; made by {@link untilWindowCloses} and {@link untilTimeLimit}. */
export type Suppressed =
  | { readonly kind: 'window-close'; readonly idleMs?: number }
  | ({ readonly kind: 'time-limit'; readonly limitMs: number } & SuppressBounds)

/** Bounds of what a suppress may hold back; checked at every commit. */
export interface SuppressLimits {
  readonly maxRecords?: number
  /** Of keys and values as they are written. */
  readonly maxBytes?: number
  /** `emit-early`, the default: the oldest go on before their time. `stop`: the application fails. */
  readonly whenFull?: 'emit-early' | 'stop'
}

/** Of a suppress of a table with keys `K` and values `V`. */
export interface SuppressOptions<K = unknown, V = unknown> extends StepOptions {
  /** Name of the store of what is held back, or how it is kept too. */
  readonly store?: string | Materialized
  /**
   * What an update that goes on says that the row was before: what those below know of it (`emitted`, the default), or, as in Kafka Streams, what
   * it was before the last update that was held back (`latest`), which those below may never have seen: a grouping then subtracts what it
   * never added.
   */
  readonly oldValue?: 'emitted' | 'latest'
  /**
   * What becomes of an update that comes for a window that was closed while nothing came; only together with `untilWindowCloses({ idle })`, since nothing
   * else is late here. Deletions are counted, and no more. Default: updates are, too.
   */
  readonly onLate?: LateOption<K, V>
}

/** Of a suppress until windows close. */
export interface WindowCloseOptions {
  /**
   * When no update has come to the suppress of a task for so long by the wall clock, all that is held back is taken as closed and goes on; updates that
   * come for those windows after that are dropped and counted as late. Default: only updates move the time.
   */
  readonly idle?: Duration
}

/** Only a window's last result goes on, once it is closed; deletions do not. */
export function untilWindowCloses(options: WindowCloseOptions = {}): Suppressed {
  refuseUnknownOptions('untilWindowCloses()', options, ['idle'])
  const { idle } = options
  return Object.freeze({
    kind: 'window-close',
    ...(idle !== undefined && { idleMs: durationMs('idle', idle, { leastMs: 1 }) })
  })
}

/**
 * At most one update per key goes on in `limit` of stream time: the last, once the first that was held back is the limit old.
 * @throws UsageError when a bound is not a whole number from 0 on.
 */
export function untilTimeLimit(limit: Duration, limits: SuppressLimits = {}): Suppressed {
  refuseUnknownOptions('untilTimeLimit()', limits, ['maxRecords', 'maxBytes', 'whenFull'])
  const { maxRecords, maxBytes, whenFull = 'emit-early' } = limits
  for (const [name, bound] of Object.entries({ maxRecords, maxBytes })) {
    if (bound === undefined || (Number.isSafeInteger(bound) && bound >= 0)) continue
    throw new UsageError(`untilTimeLimit: ${name} is ${bound}, but must be a whole number from 0 on`)
  }
  return Object.freeze({ ...limits, kind: 'time-limit', limitMs: durationMs('limit', limit), whenFull })
}
