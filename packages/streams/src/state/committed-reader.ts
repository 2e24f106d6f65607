import { committedPlaces } from './committed-places.ts'
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
import type { SessionBounds, Timestamped } from './store.ts'
import type { StoreContext } from './store-context.ts'

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

/** Entries in pages, so that a long answer costs few waits and little memory. */
export type CommittedPages = AsyncGenerator<readonly CommittedEntry[]>

/** What queries see of a store: the engine's entries, which are committed, never the write buffer. Values are the caller's own. */
export class CommittedReader {
  readonly #context: StoreContext
  readonly #index: StoreContext | undefined

  /** @param index Of the store's index, if it has one. */
  constructor(context: StoreContext, index?: StoreContext) {
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
  async *findSessions(key: unknown, earliestEndMs: number, latestStartMs: number): CommittedPages {
    for await (const page of this.fetch(key, earliestEndMs, Number.MAX_SAFE_INTEGER - 1)) {
      const found = page.filter(({ windowStartMs }) => windowStartMs <= latestStartMs)
      if (found.length > 0) yield found
    }
  }

  /** Key-value stores: keys from `from` to `to`, both included, in the order of their bytes; undefined is the end. */
  range(from: unknown, to: unknown): CommittedPages {
    const { definition, committed } = this.#context
    const whole = storeRange(committed.prefix)
    const gte = from === undefined ? whole.gte : keyValueKey(committed.prefix, definition.key.encode(from))
    // The least key after `to` is `to` and a zero byte.
    const end = to === undefined ? undefined : Buffer.concat([definition.key.encode(to), Buffer.alloc(1)])
    return this.#pages({ gte, lt: end === undefined ? whole.lt : keyValueKey(committed.prefix, end) })
  }

  /** Everything: by key, or by window start and then key. */
  all(): CommittedPages {
    const { definition, committed } = this.#context
    return isTimeFirst(definition.kind)
      ? this.fetchAll(0, Number.POSITIVE_INFINITY)
      : this.#pages(storeRange(committed.prefix))
  }

  /** Window stores: all keys of the windows that start (sessions: end) from `fromMs` to `toMs`, both included. */
  fetchAll(fromMs: number, toMs: number): CommittedPages {
    const { committed } = this.#context
    return this.#pages(
      windowRange(committed.prefix, Math.max(Math.ceil(fromMs), committed.expiredBeforeMs), Math.floor(toMs) + 1)
    )
  }

  /**
   * Window stores: one key's windows that start (sessions: end) from `fromMs` to `toMs`, both included. Asks once per window that exists, or per
   * entry of the index.
   */
  fetch(key: unknown, fromMs: number, toMs: number): CommittedPages {
    return this.#index === undefined ? this.#scanKey(key, fromMs, toMs) : this.#fetchIndexed(key, fromMs, toMs)
  }

  async *#fetchIndexed(key: unknown, fromMs: number, toMs: number): CommittedPages {
    const { definition, committed } = this.#context
    if (this.#index === undefined) return
    const isSession = definition.kind === 'session'
    const keyBytes = this.#index.definition.key.encode(key)
    const span = { fromMs: Math.max(Math.ceil(fromMs), committed.expiredBeforeMs), toMs: Math.floor(toMs) }
    for await (const places of committedPlaces(this.#index, definition.indexBucketMs ?? 1, { keyBytes, ...span })) {
      const page: CommittedEntry[] = []
      for (const { atMs, startMs } of places) {
        const bytes = isSession ? definition.key.encode(new SessionKey(startMs, key)) : keyBytes
        const found = this.#read(bytes, atMs)
        if (found !== undefined) page.push({ ...this.#placed(bytes, atMs), ...found })
      }
      if (page.length > 0) yield page
    }
  }

  /** What an entry's key says; decoded for the caller alone. */
  #placed(keyBytes: Buffer, atMs: number): Pick<CommittedEntry, 'key' | 'windowStartMs' | 'windowEndMs'> {
    const key = this.#context.definition.key.decode(keyBytes, 0, keyBytes.length)
    return key instanceof SessionKey
      ? { key: key.key, windowStartMs: key.startMs, windowEndMs: atMs }
      : { key, windowStartMs: atMs }
  }

  async *#scanKey(key: unknown, fromMs: number, toMs: number): CommittedPages {
    const { definition, committed, engine } = this.#context
    const keyBytes = definition.key.encode(key)
    let startMs = Math.max(Math.ceil(fromMs), committed.expiredBeforeMs)
    while (startMs <= toMs && startMs <= committed.maxWindowStartMs) {
      const scan = engine.pages(windowRange(committed.prefix, startMs, Math.floor(toMs) + 1), 1)
      const page = await scan.next()
      await scan.return(undefined)
      if (page.done === true) return
      const windowStartMs = windowStartOf(page.value[0][0])
      const found = this.#read(keyBytes, windowStartMs)
      if (found !== undefined) {
        const ownKey = definition.key.decode(keyBytes, 0, keyBytes.length)
        yield [{ key: ownKey, windowStartMs, value: found.value, timestamp: found.timestamp }]
      }
      startMs = windowStartMs + 1
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

  async *#pages(range: { gte: Buffer; lt: Buffer }): CommittedPages {
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
