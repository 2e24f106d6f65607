import { makeStore, type Place } from './make-store.ts'
import type { Node, StoreDefinition } from './node.ts'
import { isTable, type Step, type TableBody } from './step.ts'
import type { TableTraits } from './table-plan.ts'

/** The node of a step that makes or groups a table. */
export function makeTableNode(made: {
  readonly step: Step
  readonly body: TableBody
  readonly place: Place
  readonly traits: TableTraits | undefined
}): Node {
  const { step, body, place } = made
  const { stored = false, sendsOld = false, versioned = false } = made.traits ?? {}
  const { name, parents } = place
  if (body.kind === 'table-group') return Object.freeze({ ...body, name, parents })
  if (!isTable(body)) {
    const aggregation = Object.freeze({ ...body.aggregation })
    return Object.freeze({ ...body, aggregation, store: makeStore(step, body.store, place), sendsOld, name, parents })
  }
  const { store: open, ...rest } = body
  const store: { readonly store?: StoreDefinition } =
    stored && open !== undefined ? { store: makeStore(step, open, place) } : {}
  return rest.kind === 'table-filter'
    ? Object.freeze({ ...rest, ...store, sendsOld, versioned, name, parents })
    : Object.freeze({ ...rest, ...store, sendsOld, name, parents })
}
