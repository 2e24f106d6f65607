import { makeLateRecords } from './make-late-records.ts'
import { completeSerdes, makeStore, type Place } from './make-store.ts'
import type { Node } from './node.ts'
import type { JoinBody, Step } from './step.ts'

/** The node of a join's step, table-table joins excepted. */
export function makeJoinNode(made: { readonly step: Step; readonly body: JoinBody; readonly place: Place }): Node {
  const { step, body, place } = made
  const { name, parents } = place
  switch (body.kind) {
    case 'stream-table-join': {
      const { grace, ...rest } = body
      if (grace === undefined) return Object.freeze({ ...rest, name, parents })
      const store = makeStore(step, grace.store, place, 'waiting')
      const { key: keys } = completeSerdes({ key: grace.keys, value: store.value }, place)
      return Object.freeze({ ...rest, grace: Object.freeze({ graceMs: grace.graceMs, keys, store }), name, parents })
    }
    case 'stream-join': {
      const { late, ...rest } = body
      const handled = late && { late: makeLateRecords(late, place) }
      const { unmatched } = body.stores
      const stores = Object.freeze({
        left: makeStore(step, body.stores.left, place, 'left'),
        right: makeStore(step, body.stores.right, place, 'right'),
        ...(unmatched === undefined ? {} : { unmatched: makeStore(step, unmatched, place, 'unmatched') })
      })
      return Object.freeze({ ...rest, ...handled, within: Object.freeze({ ...body.within }), stores, name, parents })
    }
    case 'foreign-key-answer':
      return Object.freeze({ ...body, store: makeStore(step, body.store, place), name, parents })
    case 'stream-global-join':
    case 'foreign-key-subscribe':
    case 'foreign-key-result':
      return Object.freeze({ ...body, name, parents })
  }
}
