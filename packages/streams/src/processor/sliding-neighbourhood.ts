import type { StreamRecord } from '../graph/record.ts'
import type { IndexedWindowStore, Timestamped } from '../state/store.ts'

/** The windows around one record of a key, as they are before it. */
export interface SlidingNeighbourhood {
  /** Windows that contain the record and do not end at it, latest first. */
  readonly containing: readonly { readonly startMs: number; readonly value: Timestamped<unknown> }[]
  /** The window that ends at the record, if it is there. */
  readonly left: Timestamped<unknown> | undefined
  /** The latest window that ends before the record. */
  readonly before: Timestamped<unknown> | undefined
  /** Timestamp of the record before, as far as the windows that are there know it. */
  readonly previousMs: number | undefined
  /** Whether a window that was looked at begins there. */
  has(startMs: number): boolean
}

/** Reads the windows that begin from twice the difference before the record to just after it, the latest first, until one ends before the record. */
export function neighbourhood(
  store: IndexedWindowStore<unknown, unknown>,
  { key, timestamp }: StreamRecord,
  { differenceMs, visibleFromMs }: { readonly differenceMs: number; readonly visibleFromMs: number }
): SlidingNeighbourhood {
  const containing: { startMs: number; value: Timestamped<unknown> }[] = []
  let left: Timestamped<unknown> | undefined
  let before: Timestamped<unknown> | undefined
  let previousMs: number | undefined
  const isEarly = timestamp < differenceMs
  const fromMs = Math.max(0, timestamp - 2 * differenceMs, visibleFromMs)
  const windows = store.between(key, fromMs, timestamp + 1)
  let firstSeen = windows.length
  for (; firstSeen > 0; ) {
    const { windowStartMs: startMs, current: value } = windows[--firstSeen]
    if (value === undefined) continue
    if (startMs > timestamp) continue
    const endMs = startMs + differenceMs
    if (endMs > timestamp || isEarly) containing.push({ startMs, value })
    else if (endMs === timestamp) {
      left = value
      if (value.timestamp < timestamp) previousMs = value.timestamp
    } else {
      before = value
      previousMs = value.timestamp
      break
    }
  }
  return {
    containing,
    left,
    before,
    previousMs,
    has: (startMs) => windows.some((window, at) => at >= firstSeen && window.windowStartMs === startMs)
  }
}
