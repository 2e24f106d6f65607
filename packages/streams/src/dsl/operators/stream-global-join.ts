import type { Serde } from '../../serde/serde.ts'
import type { Callback, JoinCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { GlobalPoint } from './global-table.ts'
import { joinVerbs } from './table-join.ts'

/** Each record of a stream with a row of a global table. Nothing is repartitioned: every instance has all of the table. */
export function streamGlobalJoin(
  [stream, table]: readonly [Point, GlobalPoint],
  of: { readonly join: 'inner' | 'left'; readonly fn: JoinCallback; readonly mappedKey: Callback<unknown> },
  options: { readonly name?: string; readonly value?: Serde<unknown> }
): Point {
  const { draft } = stream
  const step = draft.add({
    verb: joinVerbs[of.join],
    label: options.name,
    parents: [stream.step],
    body: { kind: 'stream-global-join', ...of, global: table.store }
  })
  return { ...stream, step, value: options.value }
}
