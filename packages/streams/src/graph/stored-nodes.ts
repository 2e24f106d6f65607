import type { LateRecords } from './late-records.ts'
import { makeLateRecords } from './make-late-records.ts'
import { completeSerdes, makeStore, type Place } from './make-store.ts'
import type { Node, StoreDefinition } from './node.ts'
import type { OpenLateRecords, RxBody, Step } from './step.ts'

/** The steps of streams that keep something in a store of their own; joins and tables have theirs elsewhere. */
type StoredBody = Extract<Step['body'], { kind: 'aggregate' | 'windowed-aggregate' | 'suppress' | 'rx' }>

/** The node of a step that keeps what it needs of a stream in a store. */
export function makeStoredNode(made: { readonly step: Step; readonly body: StoredBody; readonly place: Place }): Node {
  const { step, body, place } = made
  const { name, parents } = place
  const store = makeStore(step, body.store, place)
  switch (body.kind) {
    case 'aggregate':
      return Object.freeze({ ...body, aggregation: Object.freeze({ ...body.aggregation }), store, name, parents })
    case 'windowed-aggregate': {
      const { late, ...rest } = body
      const aggregation = Object.freeze({ ...body.aggregation })
      const window = Object.freeze({ ...body.window })
      return Object.freeze({ ...rest, ...handled(late, place), aggregation, window, store, name, parents })
    }
    case 'suppress': {
      const { late, ...rest } = body
      const until = Object.freeze({ ...body.until })
      return Object.freeze({ ...rest, ...handled(late, place), until, store, name, parents })
    }
    case 'rx':
      return makeRxNode({ step, body, place }, store)
  }
}

function handled(late: OpenLateRecords | undefined, place: Place): { readonly late?: LateRecords } {
  return late === undefined ? {} : { late: makeLateRecords(late, place) }
}

function makeRxNode(
  { step, body, place }: { readonly step: Step; readonly body: RxBody; readonly place: Place },
  store: StoreDefinition
): Node {
  const { timers, ...rest } = body
  const { value: input } = completeSerdes({ key: store.key, value: body.input }, place)
  const queue = timers && { timers: makeStore(step, timers, place, 'timers') }
  const { name, parents } = place
  return Object.freeze({
    ...rest,
    ...queue,
    operator: Object.freeze({ ...body.operator }),
    store,
    input,
    name,
    parents
  })
}
