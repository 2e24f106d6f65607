import { Wakeup } from '@millrace/log'
import type { SourceBatch, SourceReader } from '../source.ts'
import type { Life } from './life.ts'
import type { StateStage } from './source-state.ts'

/** A batch that was read, and what its reading changed of the source's state. */
export interface ReadBatch<Position> extends SourceBatch<Position> {
  readonly stage: StateStage
  readonly sizeBytes: number
}

/** What the reading works with. */
export interface ReadAheadParts<Position> {
  readonly life: Life
  readonly reader: SourceReader<Position>
  /** Aborted when reading is to end. */
  readonly signal: AbortSignal
  readonly maxRecords: number
  readonly maxBytes: number
  takeStage(): StateStage
}

/** Longest that a reader may take to return after its signal was aborted. */
const CLOSING_MS = 30_000

/**
 * Reads a source beside the commits: while a transaction is being committed, the next one's batches are read already, up to a number of
 * records and bytes.
 */
export class ReadAhead<Position> {
  readonly #parts: ReadAheadParts<Position>
  readonly #queue: ReadBatch<Position>[] = []
  readonly #arrived: Wakeup
  readonly #room: Wakeup
  readonly #finished: Promise<void>
  #records = 0
  #bytes = 0
  #end: 'reading' | 'ended' | { readonly error: unknown } = 'reading'

  constructor(parts: ReadAheadParts<Position>) {
    this.#parts = parts
    this.#arrived = new Wakeup(parts.life.environment)
    this.#room = new Wakeup(parts.life.environment)
    const wake = () => {
      this.#room.signal()
      this.#arrived.signal()
    }
    parts.signal.addEventListener('abort', wake)
    const unwatch = parts.life.gate.watch(wake)
    this.#finished = this.#readAll().finally(() => {
      parts.signal.removeEventListener('abort', wake)
      unwatch()
      this.#arrived.signal()
    })
  }

  /** Whether the source has ended for good. */
  get ended(): boolean {
    return this.#end === 'ended'
  }

  /** Records that wait. */
  get records(): number {
    return this.#records
  }

  /**
   * The next batch, if one is there. @throws what reading has thrown, once all that was read before it is taken.
   */
  take(): ReadBatch<Position> | undefined {
    const batch = this.#queue.shift()
    if (batch === undefined) {
      if (typeof this.#end === 'object') throw this.#end.error
      return undefined
    }
    this.#records -= batch.records.length
    this.#bytes -= batch.sizeBytes
    this.#room.signal()
    return batch
  }

  /** Resolves when a batch has come, reading is over, the source was paused or resumed, or after `timeoutMs`. */
  wait(timeoutMs?: number): Promise<void> {
    return this.#queue.length > 0 ? Promise.resolve() : this.#arrived.wait(timeoutMs)
  }

  /** Ends the present `wait`, or the next. */
  wake(): void {
    this.#arrived.signal()
  }

  /** Resolves when no `read` is waiting any more. Abort the signal first. */
  async finish(): Promise<void> {
    const { life } = this.#parts
    const late = life.environment.timers.set(CLOSING_MS, () => {
      life.report({
        level: 'error',
        code: 'read-does-not-return',
        message: `the source has not returned from read() for ${CLOSING_MS} ms after its signal was aborted`
      })
    })
    await this.#finished
    late.cancel()
  }

  async #readAll(): Promise<void> {
    const { reader, signal, life } = this.#parts
    const { clock } = life.environment
    try {
      while (!signal.aborted) {
        if (this.#isFull() || !life.gate.open) {
          await this.#room.wait()
          continue
        }
        const beganMs = clock.monotonicMs()
        const batch = await reader.read()
        if (batch === undefined) {
          this.#end = 'ended'
          return
        }
        this.#add(batch, clock.monotonicMs() - beganMs)
      }
    } catch (error) {
      this.#end = { error }
    }
  }

  #add(batch: SourceBatch<Position>, tookMs: number): void {
    const { life, takeStage } = this.#parts
    const stage = takeStage()
    if (batch.records.length === 0 && batch.positions.size === 0 && stage.changes.size === 0) return
    const sizeBytes = sizeOf(batch)
    this.#queue.push({ records: batch.records, positions: batch.positions, stage, sizeBytes })
    this.#records += batch.records.length
    this.#bytes += sizeBytes
    life.meter.received(batch.records.length)
    life.meter.measure('readMs', tookMs)
    this.#arrived.signal()
  }

  #isFull(): boolean {
    return this.#records >= this.#parts.maxRecords || this.#bytes >= this.#parts.maxBytes
  }
}

function sizeOf({ records }: SourceBatch<unknown>): number {
  let sizeBytes = 0
  for (const { key, value } of records) sizeBytes += 16 + (key?.length ?? 0) + (value?.length ?? 0)
  return sizeBytes
}
