import type { Positions, SourceReader } from '../source.ts'
import type { Life } from './life.ts'

/**
 * Tells a reader what was committed, in order and one call at a time. While a call is under way, what is committed meanwhile is gathered for
 * the next, so that a slow outer system does not slow the commits down.
 */
export class Acknowledgements {
  readonly #reader: SourceReader<unknown>
  readonly #life: Life
  readonly #failed: () => void
  #gathered = new Map<string, unknown>()
  #running: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  /** @param failed called when the reader has thrown. */
  constructor(reader: SourceReader<unknown>, life: Life, failed: () => void) {
    this.#reader = reader
    this.#life = life
    this.#failed = failed
  }

  /** Positions of one commit; null for a split that was forgotten, of which nobody need be told. */
  add(positions: ReadonlyMap<string, unknown>): void {
    for (const [split, position] of positions) {
      // The newest comes last, so that the order is that of the commits.
      this.#gathered.delete(split)
      if (position !== null) this.#gathered.set(split, position)
    }
    if (this.#running === undefined && this.#gathered.size > 0) this.#running = this.#tell()
  }

  /** @throws what `committed` has thrown. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Resolves when the reader has been told everything, or has failed. @throws what it has thrown. */
  async settled(): Promise<void> {
    await this.#running
    this.throwFailure()
  }

  async #tell(): Promise<void> {
    try {
      while (this.#gathered.size > 0) {
        const positions: Positions<unknown> = this.#gathered
        this.#gathered = new Map()
        await this.#reader.committed(positions)
        await this.#life.step('source:acknowledged')
      }
    } catch (error) {
      this.#failure = { error }
      this.#failed()
    } finally {
      this.#running = undefined
    }
  }
}
