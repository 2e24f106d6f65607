import type { StoreDefinition } from '../graph/node.ts'
import type { Timestamped } from '../state/store.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * When the rows of a kept table are over: once stream time, the greatest timestamp that the task has taken in, is the time to live past a row's
 * timestamp. What is over leaves at the next commit, or just before its key is updated again, whichever comes first: so what happens to a key does not
 * depend on when commits happen.
 */
export interface RowExpiry {
  /** Whether a row of this timestamp is over by now. */
  isOver(timestamp: number): boolean
  /** Removes the row of a key if it is over; returns it if it is not. */
  live(key: unknown): Timestamped<unknown> | undefined
  /** Removes all rows that are over, by timestamp, then by the keys' bytes. */
  flush(): Promise<void>
}

/** The timestamp of a row's deletion: when it was over. */
export function expiredAtMs(row: Timestamped<unknown>, ttlMs: number): number {
  return row.timestamp + ttlMs
}

/**
 * Looks after the rows of a store with a time to live.
 * @param remove Deletes a row, and sends or notes that; `flushing` says whether a record is at hand.
 */
export function rowExpiry(
  { name, ttlMs }: Pick<StoreDefinition, 'name'> & { readonly ttlMs: number },
  context: ProcessorContext,
  remove: (key: unknown, row: Timestamped<unknown>, flushing: boolean) => void
): RowExpiry {
  const store = context.stores.keyValue(name)
  const overUntilMs = () => context.streamTimeMs() - ttlMs
  let flushedUntilMs = Number.NEGATIVE_INFINITY
  return {
    isOver: (timestamp) => timestamp <= overUntilMs(),
    live: (key) => {
      const row = store.get(key)
      if (row === undefined || row.timestamp > overUntilMs()) return row
      remove(key, row, false)
      return undefined
    },
    flush: async () => {
      const untilMs = overUntilMs()
      // Nothing is ever put that is over already.
      if (untilMs < 0 || untilMs === flushedUntilMs) return
      flushedUntilMs = untilMs
      for await (const page of context.stores.rowsBefore(name, untilMs + 1)) {
        for (const { key } of page) {
          const row = store.get(key)
          if (row !== undefined) remove(key, row, true)
        }
      }
    }
  }
}
