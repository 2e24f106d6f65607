import type { Timers } from '@millrace/log'
import type { Row } from '../rows/row-change.ts'
import type { SinkPartition, SinkRecord } from '../sink.ts'
import type { TargetTable } from './target-table.ts'
import { type PlanOptions, planWrites, type WriteRows, type WriteStep } from './write-plan.ts'

/** What batches are prepared with. */
export interface PreparedBatchesParts<Table extends TargetTable, Encoded> {
  readonly options: PlanOptions
  readonly timers: Timers
  readonly hasSiblings: (partition: SinkPartition) => boolean
  /** The table as it is known to be, if it is. */
  readonly knownTable: (table: string) => Table | undefined
  /** Rows as the target takes them, for a table of that shape. */
  readonly encode: (write: WriteRows, target: Table | undefined) => Encoded
}

/** Rows encoded for a table and columns as they were then. */
interface KnownRows<Table, Encoded> {
  readonly target: Table | undefined
  readonly columns: readonly string[]
  readonly encoded: Encoded
}

/** Plans batches and encodes their rows: the next one's while the target is busy with the one before. */
export class PreparedBatches<Table extends TargetTable, Encoded> {
  readonly #parts: PreparedBatchesParts<Table, Encoded>
  readonly #known = new WeakMap<readonly Row[], KnownRows<Table, Encoded>>()
  #upcoming: readonly SinkRecord[] | undefined
  #prepared: { readonly batch: readonly SinkRecord[]; readonly steps: readonly WriteStep[] } | undefined

  constructor(parts: PreparedBatchesParts<Table, Encoded>) {
    this.#parts = parts
  }

  /** This batch will probably come next. */
  announce(batch: readonly SinkRecord[]): void {
    this.#upcoming = batch
  }

  /** The target has something to do, as soon as what was written to it has left: time for the next batch. */
  targetIsBusy(): void {
    if (this.#upcoming !== undefined) this.#parts.timers.soon(() => this.#prepare())
  }

  /** The plan of a batch, made now unless it is prepared. @throws what `planWrites` throws. */
  stepsOf(batch: readonly SinkRecord[]): readonly WriteStep[] {
    const prepared = this.#prepared
    this.#prepared = undefined
    this.#upcoming = undefined
    const same = prepared?.batch.length === batch.length && batch.every((record, i) => record === prepared.batch[i])
    return prepared !== undefined && same ? prepared.steps : this.#plan(batch)
  }

  /** The rows as the target takes them, encoded now unless that was done for a table of this shape. */
  encoded(write: WriteRows, target: Table | undefined): Encoded {
    const known = this.#known.get(write.rows)
    if (known !== undefined && known.target === target && known.columns === write.columns) return known.encoded
    const encoded = this.#parts.encode(write, target)
    this.#known.set(write.rows, { encoded, target, columns: write.columns })
    return encoded
  }

  #prepare(): void {
    const batch = this.#upcoming
    this.#upcoming = undefined
    if (batch === undefined) return
    try {
      const steps = this.#plan(batch)
      this.#prepared = { batch, steps }
      for (const step of steps) {
        const target = this.#parts.knownTable(step.table)
        if (step.kind === 'write' && target !== undefined) this.encoded(step, target)
      }
    } catch {
      // It fails again when it is written, where somebody listens.
    }
  }

  #plan(batch: readonly SinkRecord[]): readonly WriteStep[] {
    return planWrites(batch, this.#parts.options, this.#parts.hasSiblings)
  }
}
