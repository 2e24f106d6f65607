import type { SessionBounds, SessionStore, StoreCell, Timestamped } from './store.ts'
import type { WindowTable } from './window-table.ts'

/** A session store of a task: an entry per session, by its key, its end and its start. */
export class SessionTable implements SessionStore<unknown, unknown> {
  readonly #sessions: WindowTable

  constructor(sessions: WindowTable) {
    this.#sessions = sessions
  }

  get name(): string {
    return this.#sessions.name
  }

  get newestEndMs(): number {
    return this.#sessions.newestStartMs
  }

  find(key: unknown, earliestEndMs: number, latestStartMs: number): readonly StoreCell[] {
    const found = this.#sessions.between(key, earliestEndMs, Number.POSITIVE_INFINITY)
    const isEarly = ({ sessionStartMs = 0 }: StoreCell): boolean => sessionStartMs <= latestStartMs
    return found.every(isEarly) ? found : found.filter(isEarly)
  }

  get(key: unknown, { startMs, endMs }: SessionBounds): Timestamped<unknown> | undefined {
    return this.#sessions.get(key, endMs, startMs)
  }

  put(key: unknown, { startMs, endMs }: SessionBounds, value: unknown): StoreCell {
    return this.#sessions.write(key, { atMs: endMs, startMs }, value, endMs)
  }

  move(key: unknown, session: StoreCell, { startMs, endMs }: SessionBounds, value: unknown): StoreCell | undefined {
    return this.#sessions.move(key, session, { atMs: endMs, startMs }, value)
  }
}
