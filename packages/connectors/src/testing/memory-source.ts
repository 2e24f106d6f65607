import type { Source, SourceReader } from '../source.ts'
import type { SourceUnderTest } from './source-contract.ts'

const TOPIC = 'things'

/**
 * An outer system in memory: a list that grows, and forgets what it was told is safe. The smallest source that keeps the whole contract, to
 * look at and to test the suite itself by.
 */
export class MemoryQueue implements SourceUnderTest {
  readonly topics = [TOPIC]
  readonly #things: string[] = []
  #forgotten = 0

  /** How many things it has forgotten, since the log holds them. */
  get forgotten(): number {
    return this.#forgotten
  }

  /** How many things there ever were. */
  get size(): number {
    return this.#things.length
  }

  async produce(count: number): Promise<readonly string[]> {
    const ids = Array.from({ length: count }, (_, i) => `thing-${this.#things.length + i}`)
    this.#things.push(...ids)
    return ids
  }

  idOf({ value }: { readonly value: Buffer | null }): string | undefined {
    return value?.toString()
  }

  source(): Source<unknown> {
    const source: Source<number> = {
      name: 'memory-queue',
      open: async (positions, context) => this.#reader(positions.get('') ?? 0, context)
    }
    return source
  }

  async close(): Promise<void> {}

  #reader(from: number, { signal, environment, state }: Parameters<Source<number>['open']>[1]): SourceReader<number> {
    let next = from
    return {
      read: async () => {
        while (next === this.#things.length && !signal.aborted) {
          await new Promise<void>((resolve) => environment.timers.set(2, resolve))
        }
        const things = this.#things.slice(next, next + 3)
        if (things.length > 0) countIn(state, things.length)
        next += things.length
        const records = things.map((thing) => ({ topic: TOPIC, key: null, value: Buffer.from(thing) }))
        return { records, positions: new Map(things.length === 0 ? [] : [['', next]]) }
      },
      committed: async (positions) => {
        this.#forgotten = positions.get('') ?? this.#forgotten
      },
      close: async () => {},
      lag: () => this.#things.length - next
    }
  }
}

/** How many things it has seen: state that is right exactly when each was counted once. */
function countIn(state: Parameters<Source<number>['open']>[1]['state'], count: number): void {
  const key = Buffer.from('count')
  const seen = Number(state.get(key) ?? 0)
  state.set(key, Buffer.from(String(seen + count)))
}
