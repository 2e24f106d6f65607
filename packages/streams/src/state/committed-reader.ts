import {
  decodeEngineValue,
  keyOffset,
  keyValueKey,
  storeRange,
  windowKey,
  windowRange,
  windowStartOf
} from './layout.ts'
import type { Timestamped } from './store.ts'
import type { StoreContext } from './store-context.ts'

/** One entry as a query gets it: decoded for it alone. */
export interface CommittedEntry {
  readonly key: unknown
  /** 0 in a key-value store. */
  readonly windowStartMs: number
  readonly value: unknown
  readonly timestamp: number
}

/** Entries in pages, so that a long answer costs few waits and little memory. */
export type CommittedPages = AsyncGenerator<readonly CommittedEntry[]>

/** What queries see of a store: the engine's entries, which are committed, never the write buffer. Values are the caller's own. */
export class CommittedReader {
  readonly #context: StoreContext

  constructor(context: StoreContext) {
    this.#context = context
  }

  /** @param windowStartMs Window stores only. */
  get(key: unknown, windowStartMs = 0): Timestamped<unknown> | undefined {
    const { definition } = this.#context
    return this.#read(definition.key.encode(key), windowStartMs)
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
    return definition.kind === 'window'
      ? this.fetchAll(0, Number.POSITIVE_INFINITY)
      : this.#pages(storeRange(committed.prefix))
  }

  /** Window stores: all keys of the windows that start from `fromMs` to `toMs`, both included. */
  fetchAll(fromMs: number, toMs: number): CommittedPages {
    const { committed } = this.#context
    return this.#pages(
      windowRange(committed.prefix, Math.max(Math.ceil(fromMs), committed.expiredBeforeMs), Math.floor(toMs) + 1)
    )
  }

  /** Window stores: one key's windows that start from `fromMs` to `toMs`, both included. Asks once per window that exists. */
  async *fetch(key: unknown, fromMs: number, toMs: number): CommittedPages {
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
    const isWindow = definition.kind === 'window'
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
        const key = definition.key.decode(engineKey, offset, engineKey.length)
        return { key, windowStartMs: definition.kind === 'window' ? windowStartOf(engineKey) : 0, value, timestamp }
      })
    }
  }
}
