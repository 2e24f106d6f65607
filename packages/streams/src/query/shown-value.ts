import type { StoreDefinition } from '../graph/node.ts'
import { isDurableEntrySerde, toDurableEntry } from '../serde/durable-state.ts'
import { toVersions } from '../serde/version-list.ts'

/** What a store keeps, as queries show it; the value may be undefined, where the serde has a form for it. */
export interface Shown {
  readonly value: unknown
}

/**
 * What a query shows of what a store keeps: of a versioned table the latest version, of a suppress the value that is held back, of a durable RxJS
 * operator its state, without its place in the queue of timers. Undefined: nothing. A row of a versioned table may have been deleted and still have a
 * past, a deletion may be held back, and of an operator's key there may be only a timer left.
 */
export function shownValue({ kind, value: serde, historyMs }: StoreDefinition, kept: unknown): Shown | undefined {
  if (historyMs !== undefined) return unlessUndefined(toVersions(kept).at(-1)?.value)
  if (kind === 'buffer') return unlessUndefined(isHeld(kept) ? kept.newValue : undefined)
  return isDurableEntrySerde(serde) ? unlessUndefined(toDurableEntry(kept).state) : { value: kept }
}

function unlessUndefined(value: unknown): Shown | undefined {
  return value === undefined ? undefined : { value }
}

function isHeld(kept: unknown): kept is { readonly newValue: unknown } {
  return typeof kept === 'object' && kept !== null && 'newValue' in kept
}
