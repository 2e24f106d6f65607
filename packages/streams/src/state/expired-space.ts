import { windowRange } from './layout.ts'
import type { StoreContext } from './store-context.ts'

/** Between two removals this much is written: each makes LevelDB write what it has in memory to a file, and compact it. */
const leastWrittenBytes = 2 << 20

/**
 * Removes a store's expired windows from the disk while the task goes on, a quarter of the retention at a time, and not for a few of them. What is below
 * was removed before: the engine is not to look through what is left of it.
 */
export class ExpiredSpace {
  readonly #context: StoreContext
  /** Windows below are gone. */
  #clearedBeforeMs = 0
  /** The first removal after a start waits for nothing. */
  #writtenBytes = leastWrittenBytes
  #clearing: Promise<void> | undefined

  constructor(context: StoreContext) {
    this.#context = context
  }

  /** An entry goes to the engine. */
  written(key: Buffer, value: Buffer | null): void {
    this.#writtenBytes += key.length + (value === null ? 0 : value.length)
  }

  /** After a commit. */
  release(): void {
    const { definition, committed, engine } = this.#context
    const stepMs = Math.max(1, (definition.retentionMs ?? 0) / 4)
    const fromMs = this.#clearedBeforeMs
    const toMs = committed.expiredBeforeMs
    if (this.#clearing !== undefined || toMs < fromMs + stepMs || this.#writtenBytes < leastWrittenBytes) return
    this.#clearedBeforeMs = toMs
    this.#writtenBytes = 0
    const done = () => {
      this.#clearing = undefined
    }
    // A failure only keeps the space: the next write meets what caused it, and the next start clears again.
    this.#clearing = engine.clear(windowRange(committed.prefix, fromMs, toMs)).then(done, done)
  }

  /** Resolves when nothing is being removed. */
  async released(): Promise<void> {
    await this.#clearing
  }
}
