import { decodeEngineValue, keyOffset, windowKey, windowRange, windowStartOf } from './layout.ts'
import type { Timestamped } from './store.ts'
import type { StoreContext } from './store-context.ts'
import type { StoreEntry } from './store-entry.ts'

/** One key's value in one window. */
export interface WindowEntry {
  readonly key: unknown
  readonly windowStartMs: number
  readonly value: Timestamped<unknown>
}

const pageEntries = 512

/**
 * The windows that start in `[fromMs, toMs)`, by window start and then by the key's bytes: what is in the engine, with the changes of the write
 * buffer as they are when the first page is asked for.
 */
export async function* closingWindows(
  context: StoreContext,
  changes: readonly StoreEntry[],
  span: { readonly fromMs: number; readonly toMs: number }
): AsyncGenerator<readonly WindowEntry[]> {
  const { definition, meta, engine } = context
  const { fromMs, toMs } = span
  const buffered = changes
    .filter(({ windowStartMs }) => windowStartMs >= fromMs && windowStartMs < toMs)
    .map((entry) => ({
      at: windowKey(meta.prefix, entry.windowStartMs, entry.encodedKey(definition.key)),
      key: entry.key,
      windowStartMs: entry.windowStartMs,
      value: entry.current
    }))
    .sort((a, b) => Buffer.compare(a.at, b.at))
  let next = 0
  const takeBefore = (end: Buffer | undefined, into: WindowEntry[]): void => {
    for (; next < buffered.length; next++) {
      const { at, key, windowStartMs, value } = buffered[next]
      if (end !== undefined && Buffer.compare(at, end) >= 0) return
      if (value !== undefined) into.push({ key, windowStartMs, value })
    }
  }
  if (fromMs <= meta.maxWindowStartMs) {
    for await (const page of engine.pages(windowRange(meta.prefix, fromMs, toMs), pageEntries)) {
      const merged: WindowEntry[] = []
      for (const [engineKey, bytes] of page) {
        takeBefore(engineKey, merged)
        // The buffer's entry of the same key is newer.
        if (next < buffered.length && buffered[next].at.equals(engineKey)) continue
        const key = definition.key.decode(engineKey, keyOffset('window'), engineKey.length)
        const windowStartMs = windowStartOf(engineKey)
        merged.push({ key, windowStartMs, value: decodeEngineValue(definition, bytes) })
      }
      yield merged
    }
  }
  const rest: WindowEntry[] = []
  takeBefore(undefined, rest)
  if (rest.length > 0) yield rest
}
