import { SessionKey } from './session-key.ts'
import type { SessionBounds, SessionStore, Timestamped } from './store.ts'
import type { WindowIndex } from './window-index.ts'
import type { WindowTable } from './window-table.ts'

/** A session store of a task: an entry per session, by its end, its start and its key; and the index that finds a key's sessions. */
export class SessionTable implements SessionStore<unknown, unknown> {
  readonly #sessions: WindowTable
  readonly #index: WindowIndex

  constructor(sessions: WindowTable, index: WindowIndex) {
    this.#sessions = sessions
    this.#index = index
  }

  get name(): string {
    return this.#sessions.name
  }

  find(key: unknown, earliestEndMs: number, latestStartMs: number): SessionBounds[] {
    const places = this.#index.between(key, earliestEndMs, Number.POSITIVE_INFINITY)
    const found: SessionBounds[] = []
    for (const { atMs, startMs } of places) if (startMs <= latestStartMs) found.push({ startMs, endMs: atMs })
    return found
  }

  get(key: unknown, { startMs, endMs }: SessionBounds): Timestamped<unknown> | undefined {
    return this.#sessions.get(new SessionKey(startMs, key), endMs)
  }

  put(key: unknown, { startMs, endMs }: SessionBounds, value: unknown): void {
    this.#sessions.put(new SessionKey(startMs, key), endMs, value, endMs)
    if (value === null) this.#index.remove(key, { atMs: endMs, startMs })
    else this.#index.add(key, { atMs: endMs, startMs })
  }
}
