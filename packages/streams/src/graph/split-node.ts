import type { NodeBase } from './node.ts'
import type { StreamRecord } from './record.ts'

/** Parts a stream: each record goes to the first branch whose predicate says true, or to the one after the last predicate, or nowhere. */
export interface SplitNode extends NodeBase {
  readonly kind: 'split'
  readonly predicates: readonly ((value: unknown, record: StreamRecord) => boolean)[]
}

/** One way out of a split. The children of a split are its branches, in the order of the predicates, the default last. */
export interface BranchNode extends NodeBase {
  readonly kind: 'branch'
  /** As the program calls it. */
  readonly branch: string
}
