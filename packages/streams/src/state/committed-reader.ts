import { toVersions, type VersionList } from '../serde/version-list.ts'
import { committedPlaces, nextWindow } from './committed-places.ts'
import type { KeyRange } from './engine.ts'
import {
  decodeEngineValue,
  isTimeFirst,
  keyOffset,
  keyValueKey,
  storeRange,
  windowKey,
  windowRange,
  windowStartOf
} from './layout.ts'
import { SessionKey } from './session-key.ts'
import type { KeySpan, SessionBounds, Timestamped } from './store.ts'
import type { StoreContext } from './store-context.ts'
import type { WindowPlace } from './window-index.ts'

/** One entry as a query gets it: decoded for it alone. */
export interface CommittedEntry {
  readonly key: unknown
  /** 0 in a key-value store. */
  readonly windowStartMs: number
  /** Session stores only: the session's last record. */
  readonly windowEndMs?: number
  readonly value: unknown
  readonly timestamp: number
}

/** Times of windows (of sessions: their ends), both included. */
export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
  /** The latest first. */
  readonly reverse?: boolean
}

/** Sessions that overlap a span. */
export interface SessionsWanted {
  readonly earliestEndMs: number
  readonly latestStartMs: number
  readonly reverse?: boolean
}

/** What finds a key's windows where they begin anywhere. */
export interface CommittedIndex {
  readonly context: StoreContext
  /** From one time to another, both included, in order; more than are committed, maybe. Undefined: the index knows. */
  places(key: unknown, fromMs: number, toMs: number): WindowPlace[] | undefined
}

/** Entries in pages, so that a long answer costs few waits and little memory. */
export type CommittedPages = AsyncGenerator<readonly CommittedEntry[]>

/** What queries see of a store: the engine's entries, which are committed, never the write buffer. Values are the caller's own. */
export class CommittedReader {
  readonly #context: StoreContext
  readonly #index: CommittedIndex | undefined

  /** @param index What finds a key's windows, where they begin anywhere. */
  constructor(context: StoreContext, index?: CommittedIndex) {
    this.#context = context
    this.#index = index
  }

  /** @param windowStartMs Window stores only. */
  get(key: unknown, windowStartMs = 0): Timestamped<unknown> | undefined {
    const { definition } = this.#context
    return this.#read(definition.key.encode(key), windowStartMs)
  }

  /** Session stores only. */
  getSession(key: unknown, { startMs, endMs }: SessionBounds): Timestamped<unknown> | undefined {
    return this.#read(this.#context.definition.key.encode(new SessionKey(startMs, key)), endMs)
  }

  /** Session stores only: a key's sessions that end at `earliestEndMs` or later and start at `latestStartMs` or before, by end, then start. */
  async *findSessions(key: unknown, { earliestEndMs, latestStartMs, reverse = false }: SessionsWanted): CommittedPages {
    for await (const page of this.fetch(key, { fromMs: earliestEndMs, toMs: Number.MAX_SAFE_INTEGER - 1, reverse })) {
      const found = page.filter(({ windowStartMs }) => windowStartMs <= latestStartMs)
      if (found.length > 0) yield found
    }
  }

  /** Key-value stores: keys from `from` to `to`, both included, in the order of their bytes; undefined is the end. */
  range({ from, to, reverse = false }: KeySpan): CommittedPages {
    const { definition, committed } = this.#context
    const whole = storeRange(committed.prefix)
    const gte = from === undefined ? whole.gte : keyValueKey(committed.prefix, definition.key.encode(from))
    // The least key after `to` is `to` and a zero byte.
    const end = to === undefined ? undefined : Buffer.concat([definition.key.encode(to), Buffer.alloc(1)])
    return this.#pages({ gte, lt: end === undefined ? whole.lt : keyValueKey(committed.prefix, end), reverse })
  }

  /** Key-value stores: keys whose bytes begin so. */
  prefix(prefixBytes: Buffer, { reverse = false }: { readonly reverse?: boolean } = {}): CommittedPages {
    const { committed } = this.#context
    const gte = keyValueKey(committed.prefix, prefixBytes)
    return this.#pages({ gte, lt: keyAfterPrefix(gte), reverse })
  }

  /** Everything: by key, or by window start and then key. */
  all({ reverse = false }: { readonly reverse?: boolean } = {}): CommittedPages {
    const { definition, committed } = this.#context
    return isTimeFirst(definition.kind)
      ? this.fetchAll({ fromMs: 0, toMs: Number.POSITIVE_INFINITY, reverse })
      : this.#pages({ ...storeRange(committed.prefix), reverse })
  }

  /** About how many entries there are, expired windows that still take space among them. */
  approximateCount(): Promise<number> {
    const { committed, engine } = this.#context
    return engine.approximateEntries(storeRange(committed.prefix))
  }

  /** Versioned stores: a key's versions, oldest first; undefined values are deletions. */
  versions(key: unknown): VersionList {
    return toVersions(this.get(key)?.value)
  }

  /** Window stores: all keys of the windows that start (sessions: end) from `fromMs` to `toMs`, both included. */
  fetchAll({ fromMs, toMs, reverse = false }: TimeSpan): CommittedPages {
    const { committed } = this.#context
    const firstMs = Math.max(Math.ceil(fromMs), committed.expiredBeforeMs)
    return this.#pages({ ...windowRange(committed.prefix, firstMs, Math.floor(toMs) + 1), reverse })
  }

  /**
   * Window stores: one key's windows that start (sessions: end) from `fromMs` to `toMs`, both included. Asks once per window that exists, or per
   * entry of the index.
   */
  fetch(key: unknown, { fromMs, toMs, reverse = false }: TimeSpan): CommittedPages {
    const { expiredBeforeMs } = this.#context.committed
    const span = { fromMs: Math.max(Math.ceil(fromMs), expiredBeforeMs), toMs: Math.floor(toMs), reverse }
    return this.#index === undefined ? this.#scanKey(key, span) : this.#fetchIndexed(key, span)
  }

  async *#fetchIndexed(key: unknown, span: Required<TimeSpan>): CommittedPages {
    const { definition } = this.#context
    if (this.#index === undefined) return
    const { context, places } = this.#index
    const known = places(key, span.fromMs, span.toMs)
    if (known !== undefined) return yield* this.#readPlaces(key, span.reverse ? known.reverse() : known)
    const keyBytes = context.definition.key.encode(key)
    for await (const found of committedPlaces(context, definition.indexBucketMs ?? 1, { keyBytes, ...span }))
      yield* this.#readPlaces(key, found)
  }

  /** At most one page: what is still there. */
  *#readPlaces(key: unknown, places: readonly WindowPlace[]): Generator<CommittedEntry[]> {
    const { definition } = this.#context
    const page: CommittedEntry[] = []
    for (const { atMs, startMs } of places) {
      const bytes = definition.key.encode(definition.kind === 'session' ? new SessionKey(startMs, key) : key)
      const found = this.#read(bytes, atMs)
      if (found !== undefined) page.push({ ...this.#placed(bytes, atMs), ...found })
    }
    if (page.length > 0) yield page
  }

  /** What an entry's key says; decoded for the caller alone. */
  #placed(keyBytes: Buffer, atMs: number): Pick<CommittedEntry, 'key' | 'windowStartMs' | 'windowEndMs'> {
    const key = this.#context.definition.key.decode(keyBytes, 0, keyBytes.length)
    return key instanceof SessionKey
      ? { key: key.key, windowStartMs: key.startMs, windowEndMs: atMs }
      : { key, windowStartMs: atMs }
  }

  async *#scanKey(key: unknown, { fromMs, toMs, reverse }: Required<TimeSpan>): CommittedPages {
    const { definition, committed, engine } = this.#context
    const keyBytes = definition.key.encode(key)
    let [first, last] = [fromMs, Math.min(toMs, committed.maxWindowStartMs)]
    while (first <= last) {
      const windowStartMs = await nextWindow(engine, { ...windowRange(committed.prefix, first, last + 1), reverse })
      if (windowStartMs === undefined) return
      const found = this.#read(keyBytes, windowStartMs)
      if (found !== undefined) {
        const ownKey = definition.key.decode(keyBytes, 0, keyBytes.length)
        yield [{ key: ownKey, windowStartMs, value: found.value, timestamp: found.timestamp }]
      }
      if (reverse) last = windowStartMs - 1
      else first = windowStartMs + 1
    }
  }

  #read(keyBytes: Buffer, windowStartMs: number): Timestamped<unknown> | undefined {
    const { definition, committed, engine } = this.#context
    const isWindow = isTimeFirst(definition.kind)
    if (isWindow && windowStartMs < committed.expiredBeforeMs) return undefined
    const { prefix } = committed
    const bytes = engine.get(isWindow ? windowKey(prefix, windowStartMs, keyBytes) : keyValueKey(prefix, keyBytes))
    return bytes === undefined ? undefined : decodeEngineValue(definition, bytes)
  }

  async *#pages(range: KeyRange): CommittedPages {
    const { definition, engine } = this.#context
    const offset = keyOffset(definition.kind)
    for await (const page of engine.pages(range)) {
      yield page.map(([engineKey, bytes]) => {
        const { value, timestamp } = decodeEngineValue(definition, bytes)
        const atMs = isTimeFirst(definition.kind) ? windowStartOf(engineKey) : 0
        return { ...this.#placed(engineKey.subarray(offset), atMs), value, timestamp }
      })
    }
  }
}

/** The least key after all that begin with these bytes, of which the first is a store's and so below 255. */
function keyAfterPrefix(prefix: Buffer): Buffer {
  let end = prefix.length
  while (prefix[end - 1] === 0xff) end--
  const after = Buffer.from(prefix.subarray(0, end))
  after[end - 1]++
  return after
}
