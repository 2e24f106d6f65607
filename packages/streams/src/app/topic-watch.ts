import type { Admin, Timers } from '@millrace/log'
import { DeletedTopicError } from './errors.ts'

/** How long something takes before the topics are looked for, and again: missing twice is gone, missing once may be a broker that has just started. */
const LOOK_MS = 2_000

/** What a watch works with. */
export interface TopicWatchParts {
  readonly admin: Pick<Admin, 'listTopics'>
  readonly timers: Timers
  readonly application: string
  /** Full names of the topics that the application cannot do without. */
  needed(): Iterable<string>
}

/**
 * Tells what hangs because a topic is gone from what only takes long. A log answers both alike, with "not known, ask again": a client that waits for the
 * answer waits as long as it may, and then knows nothing but that.
 */
export class TopicWatch {
  readonly #parts: TopicWatchParts

  constructor(parts: TopicWatchParts) {
    this.#parts = parts
  }

  /** What the work comes to. @throws DeletedTopicError as soon as a topic is known to be gone; the work then goes on by itself. */
  async during<T>(work: Promise<T>): Promise<T> {
    const { timers, application } = this.#parts
    const gone = Promise.withResolvers<never>()
    let isOver = false
    let missing: readonly string[] = []
    const look = async (): Promise<void> => {
      const before = missing
      missing = await this.#missing()
      const topic = missing.find((name) => before.includes(name))
      if (topic !== undefined) gone.reject(new DeletedTopicError(application, topic))
      else if (!isOver) timer = timers.set(LOOK_MS, () => void look(), { background: true })
    }
    let timer = timers.set(LOOK_MS, () => void look(), { background: true })
    try {
      return await Promise.race([work, gone.promise])
    } finally {
      isOver = true
      timer.cancel()
      gone.promise.catch(() => undefined)
    }
  }

  async #missing(): Promise<string[]> {
    // A look that fails says nothing.
    const listed = await this.#parts.admin.listTopics().catch(() => undefined)
    if (listed === undefined) return []
    const names = new Set(listed.map(({ name }) => name))
    return [...this.#parts.needed()].filter((name) => !names.has(name))
  }
}
