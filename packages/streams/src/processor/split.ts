import type { SplitNode } from '../graph/split-node.ts'
import { ProcessingError } from './errors.ts'
import type { Forward } from './processor.ts'

/** Sends each record down the first branch whose predicate is true; one target more than predicates is the default. */
export function chooseBranch({ name, predicates }: SplitNode, targets: readonly Forward[]): Forward {
  const fallback = targets[predicates.length]
  return (record) => {
    let chosen: number
    try {
      chosen = predicates.findIndex((predicate) => predicate(record.value, record))
    } catch (cause) {
      throw new ProcessingError(name, record.origin, cause)
    }
    if (chosen >= 0) targets[chosen](record)
    else fallback?.(record)
  }
}
