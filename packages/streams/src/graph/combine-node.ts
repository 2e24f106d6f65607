import type { Serde } from '../serde/serde.ts'
import type { Aggregation, NodeBase } from './node.ts'

/**
 * Makes one record of many between two commits: the first stage of a salted aggregation. It keeps nothing beyond a commit; the second stage merges
 * what it sends. Keys come in salted and go on without the salt.
 */
export interface CombineNode extends NodeBase {
  readonly kind: 'combine'
  /** Over how many places each key's records were spread. */
  readonly salts: number
  /** Of the keys that go on. */
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly aggregation: Aggregation
  /** Absent: all records of a key are combined, and null values are dropped. */
  readonly windows?: CombinedWindows
}

/** Which records of a key belong to the same windows, and until when they are taken. Milliseconds of event time. */
export interface CombinedWindows {
  /** Records of `[n * paneMs, (n + 1) * paneMs)` are in the same windows. */
  readonly paneMs: number
  readonly sizeMs: number
  readonly advanceMs: number
  /** Past the end of the last window of a record, by this node's time, the record is late. */
  readonly graceMs: number
}
