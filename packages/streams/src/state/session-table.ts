import type { SessionBounds, SessionStore, Timestamped } from './store.ts'
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

  find(key: unknown, earliestEndMs: number, latestStartMs: number): SessionBounds[] {
    const found: SessionBounds[] = []
    for (const { windowStartMs: endMs, sessionStartMs: startMs = 0 } of this.#sessions.between(
      key,
      earliestEndMs,
      Number.POSITIVE_INFINITY
    )) {
      if (startMs <= latestStartMs) found.push({ startMs, endMs })
    }
    return found
  }

  get(key: unknown, { startMs, endMs }: SessionBounds): Timestamped<unknown> | undefined {
    return this.#sessions.get(key, endMs, startMs)
  }

  put(key: unknown, { startMs, endMs }: SessionBounds, value: unknown): void {
    this.#sessions.write(key, { atMs: endMs, startMs }, value, endMs)
  }
}
