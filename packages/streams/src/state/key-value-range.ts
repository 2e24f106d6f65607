import type { KeyRange } from './engine.ts'
import { decodeEngineValue, keyOffset, keyValueKey, storeRange } from './layout.ts'
import type { KeySpan, Timestamped } from './store.ts'
import type { StoreContext } from './store-context.ts'
import type { StoreEntry } from './store-entry.ts'

/** One key with its value. */
export interface KeyValueRow {
  readonly key: unknown
  readonly current: Timestamped<unknown>
}

interface BufferedRow {
  readonly at: Buffer
  readonly key: unknown
  /** Undefined: deleted. */
  readonly current: Timestamped<unknown> | undefined
}

/**
 * The rows of a key-value store from one key to another, by the keys' bytes: what is in the engine, with the changes of the write buffer as they
 * are when this is called. What is changed while it is read is not seen.
 */
export function keyValueRows(
  context: StoreContext,
  changes: readonly StoreEntry[],
  span: KeySpan
): AsyncGenerator<readonly KeyValueRow[]> {
  const range = rangeOf(context, span)
  const { definition, meta } = context
  const buffered: BufferedRow[] = []
  for (const entry of changes) {
    const at = keyValueKey(meta.prefix, entry.encodedKey(definition.key))
    if (Buffer.compare(at, range.gte) < 0 || Buffer.compare(at, range.lt) >= 0) continue
    buffered.push({ at, key: entry.key, current: entry.current })
  }
  const sign = span.reverse ? -1 : 1
  buffered.sort((a, b) => sign * Buffer.compare(a.at, b.at))
  return mergedRows(context, range, buffered)
}

async function* mergedRows(
  { engine, definition }: StoreContext,
  range: KeyRange,
  buffered: readonly BufferedRow[]
): AsyncGenerator<readonly KeyValueRow[]> {
  const sign = range.reverse ? -1 : 1
  let next = 0
  const takeBefore = (end: Buffer | undefined, into: KeyValueRow[]): void => {
    for (; next < buffered.length; next++) {
      const { at, key, current } = buffered[next]
      if (end !== undefined && sign * Buffer.compare(at, end) >= 0) return
      if (current !== undefined) into.push({ key, current })
    }
  }
  for await (const page of engine.pages(range)) {
    const rows: KeyValueRow[] = []
    for (const [at, bytes] of page) {
      takeBefore(at, rows)
      // The buffer's row of the same key is newer.
      if (next < buffered.length && buffered[next].at.equals(at)) continue
      const key = definition.key.decode(at, keyOffset('key-value'), at.length)
      rows.push({ key, current: decodeEngineValue(definition, bytes) })
    }
    yield rows
  }
  const rest: KeyValueRow[] = []
  takeBefore(undefined, rest)
  if (rest.length > 0) yield rest
}

function rangeOf({ definition, meta }: StoreContext, { from, to, reverse = false }: KeySpan): KeyRange {
  const whole = storeRange(meta.prefix)
  const gte = from === undefined ? whole.gte : keyValueKey(meta.prefix, definition.key.encode(from))
  // The least key after `to` is `to` and a zero byte.
  const end = to === undefined ? undefined : Buffer.concat([definition.key.encode(to), Buffer.alloc(1)])
  return { gte, lt: end === undefined ? whole.lt : keyValueKey(meta.prefix, end), reverse }
}
