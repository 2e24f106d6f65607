import type { SourceBatch, SourceRecord } from '../../source.ts'
import type { CdcPosition } from './position.ts'

/** Limits of a batch. */
export interface BatchLimits {
  readonly records: number
  readonly bytes: number
}

/** What was read since the last batch. */
export class BatchBuilder {
  readonly #limits: BatchLimits
  #records: SourceRecord[] = []
  #positions = new Map<string, CdcPosition | null>()
  #bytes = 0

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  add(record: SourceRecord): void {
    this.#records.push(record)
    this.#bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
  }

  /** The split goes on from here after this batch. */
  position(split: string, position: CdcPosition): void {
    this.#positions.set(split, position)
  }

  get isFull(): boolean {
    return this.#records.length >= this.#limits.records || this.#bytes >= this.#limits.bytes
  }

  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#positions.size === 0
  }

  take(): SourceBatch<CdcPosition> {
    const batch = { records: this.#records, positions: this.#positions }
    this.#records = []
    this.#positions = new Map()
    this.#bytes = 0
    return batch
  }
}
