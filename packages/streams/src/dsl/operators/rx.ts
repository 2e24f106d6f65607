import type { DurableOperator } from '../../graph/durable-operator.ts'
import { boolean } from '../../serde/boolean.ts'
import { durableEntrySerde } from '../../serde/durable-state.ts'
import { long } from '../../serde/long.ts'
import type { Serde } from '../../serde/serde.ts'
import { waitingListSerde } from '../../serde/waiting-list.ts'
import type { Point } from '../draft.ts'
import { keptStore, type Materialized } from '../materialized.ts'
import { requireOptions } from '../mistakes.ts'

/** What a durable operator is told beside itself. */
export interface RxStep {
  readonly store?: string | Materialized
  readonly key?: Serde<unknown>
  readonly input?: Serde<unknown>
  readonly value?: Serde<unknown>
}

/** Adds a durable operator per key. Where the key was changed before, a repartition precedes it and drops null keys. */
export function rx(point: Point, operator: DurableOperator<never, unknown>, options: RxStep): Point {
  requireOptions(operator, `topology '${point.draft.topology}': rx`, "debounceTime('5s')")
  const { key = point.key, input = point.value } = options
  const place = keptStore(options.store)
  const kept = operator.kept ?? input
  const step = point.draft.add({
    verb: operator.verb,
    label: undefined,
    parents: [point.step],
    keyed: { name: undefined, key, value: input },
    body: {
      kind: 'rx',
      operator,
      input,
      store: { kind: 'key-value', ...place, key, value: key && kept && durableEntrySerde(key, kept) },
      ...(operator.onTimer && {
        timers: { kind: 'key-value', ...place, key: long(), value: key && waitingListSerde(key, [boolean()]) }
      })
    }
  })
  return { draft: point.draft, step, key, value: options.value ?? writtenBy(operator, input) }
}

function writtenBy(
  { writtenAs, kept }: DurableOperator<never, unknown>,
  input: Serde<unknown> | undefined
): Serde<unknown> | undefined {
  if (writtenAs === 'anew') return undefined
  return writtenAs === 'kept' ? kept : input
}
