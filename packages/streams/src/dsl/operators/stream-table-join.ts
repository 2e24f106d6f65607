import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../../graph/duration.ts'
import { isVersioned } from '../../graph/table-plan.ts'
import { long } from '../../serde/long.ts'
import type { Serde } from '../../serde/serde.ts'
import { waitingListSerde } from '../../serde/waiting-list.ts'
import type { JoinCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { keptStore, type Materialized } from '../materialized.ts'
import { joinVerbs, refuseOtherKeys, refuseOthers } from './table-join.ts'

/** What a join of a stream with a table is told. */
export interface StreamTableJoinStep {
  readonly grace?: Duration
  readonly store?: string | Materialized
  readonly name?: string
  readonly repartition?: string
  readonly key?: Serde<unknown>
  readonly left?: Serde<unknown>
  readonly value?: Serde<unknown>
}

/** Each record of a stream with the row of its key. The stream is repartitioned first if its key was changed. */
export function streamTableJoin(
  [stream, table]: readonly [Point, Point],
  { join, fn }: { readonly join: 'inner' | 'left'; readonly fn: JoinCallback },
  options: StreamTableJoinStep
): Point {
  refuseOthers(stream, table)
  refuseOtherKeys({ ...stream, key: options.key ?? stream.key }, table, { verb: joinVerbs[join], name: options.name })
  const { draft } = stream
  const { key = stream.key, left: value = stream.value, name, grace, repartition = name } = options
  if (grace !== undefined && !isVersioned(table.step)) {
    throw new UsageError(
      `topology '${draft.topology}': a join with grace needs a versioned table: read it with { history: '…' }, longer than the grace`
    )
  }
  const waiting = key && value && waitingListSerde(key, [value])
  const step = draft.add({
    verb: joinVerbs[join],
    label: name,
    parents: [stream.step, table.step],
    keyedSides: [{ name: repartition, key, value }, undefined],
    body: {
      kind: 'stream-table-join',
      join,
      fn,
      ...(grace !== undefined && {
        grace: {
          graceMs: durationMs('grace', grace),
          keys: key,
          store: { kind: 'key-value', ...waitingPlace(options), key: long(), value: waiting }
        }
      })
    }
  })
  return { draft, step, key, value: options.value }
}

/** Of the records that wait. */
function waitingPlace({ name, store }: StreamTableJoinStep) {
  const place = keptStore(store)
  return place.name === undefined ? { ...place, name } : { ...place, wholeName: true }
}
