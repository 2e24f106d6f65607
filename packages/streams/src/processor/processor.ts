import type { StreamRecord } from '../graph/record.ts'

/** What flows out of a node: a plain function call per record, depth first. */
export type Forward = (record: StreamRecord) => void

/** What a table's node forwards as the record's value. */
export class Change<V = unknown> {
  /** Undefined when the key was deleted. */
  readonly newValue: V | undefined
  readonly oldValue: V | undefined

  constructor(newValue: V | undefined, oldValue: V | undefined) {
    this.newValue = newValue
    this.oldValue = oldValue
  }
}

/** A compiled node. `process` is called without a receiver: it must not use `this`. */
export interface Processor {
  readonly process: Forward
  /**
   * Emits what waits for the commit: the last updates per key, windows that closed. Called in topological order, before the changelog is
   * written; what it forwards may make later nodes dirty.
   */
  readonly flush?: () => void | Promise<void>
  readonly close?: () => void
}
