import type { StreamRecord } from '../graph/record.ts'

export { Change } from '../serde/change.ts'

/** What flows out of a node: a plain function call per record, depth first. */
export type Forward = (record: StreamRecord) => void

/** A compiled node. `process` is called without a receiver: it must not use `this`. */
export interface Processor {
  readonly process: Forward
  /** Of a node that tells its parents apart: what each one's records go to; undefined where it only reads that parent's table. */
  readonly inputs?: readonly (Forward | undefined)[]
  /**
   * Emits what waits for the commit: the last updates per key, windows that closed. Called in topological order, before the changelog is
   * written; what it forwards may make later nodes dirty.
   */
  readonly flush?: () => void | Promise<void>
  /** Makes ready for the first record, where that has to read the stores. */
  readonly open?: () => Promise<void> | undefined
  /** Of a node that waits for time to pass: it is to take it that it has. Called as a punctuation. */
  readonly idle?: () => void
  readonly close?: () => void
}
