import { type Duration, DurationError, durationMs } from '../../graph/duration.ts'
import type { JoinKind, JoinWindow } from '../../graph/join-node.ts'
import { long } from '../../serde/long.ts'
import type { Serde } from '../../serde/serde.ts'
import { versionListSerde } from '../../serde/version-list.ts'
import { waitingListSerde } from '../../serde/waiting-list.ts'
import type { JoinCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { JoinStores } from '../join-options.ts'
import { keptStore, type Materialized } from '../materialized.ts'
import { joinVerbs, refuseOtherKeys, refuseOthers } from './table-join.ts'
import { type AnyLateOption, lateOption } from './windowed-by.ts'

/** What a join of two streams is told. */
export interface StreamJoinStep {
  readonly within: Duration | { readonly before: Duration; readonly after: Duration }
  readonly grace?: Duration
  readonly onLate?: AnyLateOption
  readonly name?: string
  readonly repartition?: { readonly left?: string; readonly right?: string }
  readonly store?: string | Materialized
  readonly stores?: JoinStores
  readonly key?: Serde<unknown>
  readonly left?: Serde<unknown>
  readonly right?: Serde<unknown>
  readonly value?: Serde<unknown>
}

/** Two streams by equal keys and near timestamps. Each side whose key was changed is repartitioned first. */
export function streamJoin(
  [left, right]: readonly [Point, Point],
  { join, fn }: { readonly join: JoinKind; readonly fn: JoinCallback },
  options: StreamJoinStep
): Point {
  refuseOthers(left, right)
  if (options.key === undefined) refuseOtherKeys(left, right, { verb: joinVerbs[join], name: options.name })
  const { draft } = left
  const { key = left.key ?? right.key, name, repartition = {} } = options
  const [leftValue, rightValue] = [options.left ?? left.value, options.right ?? right.value]
  const within = windowOf(options)
  // Half a window wide, so that a record's window touches three entries of a key at most.
  const bucketMs = Math.max(1, Math.ceil((within.beforeMs + within.afterMs) / 2))
  const retentionMs = within.beforeMs + within.afterMs + within.graceMs + bucketMs
  const kept = (value: Serde<unknown> | undefined, of: 'left' | 'right') =>
    ({
      kind: 'window',
      ...placeOf(options, of),
      key,
      value: value && versionListSerde(value),
      retentionMs,
      windowSizeMs: bucketMs
    }) as const
  const waiting = key && leftValue && rightValue && waitingListSerde(key, [leftValue, rightValue])
  const side = (value: Serde<unknown> | undefined, suffix: 'left' | 'right') => ({
    name: repartition[suffix] ?? (name === undefined ? undefined : `${name}-${suffix}`),
    key,
    value
  })
  const step = draft.add({
    verb: joinVerbs[join],
    label: name,
    parents: [left.step, right.step],
    keyedSides: [side(leftValue, 'left'), side(rightValue, 'right')],
    body: {
      kind: 'stream-join',
      join,
      within,
      fn,
      ...(options.onLate && {
        late: lateOption(options.onLate, [
          { key, value: leftValue },
          { key, value: rightValue }
        ])
      }),
      stores: {
        left: kept(leftValue, 'left'),
        right: kept(rightValue, 'right'),
        ...(join !== 'inner' && {
          unmatched: { kind: 'key-value', ...placeOf(options, 'unmatched'), key: long(), value: waiting }
        })
      }
    }
  })
  return { draft, step, key, value: options.value }
}

/** How one of the stores is kept: as is said of it alone, then as is said of all of them. */
function placeOf({ name, store, stores = {} }: StreamJoinStep, of: keyof JoinStores) {
  const own = keptStore(stores[of])
  const all = { ...keptStore(store), name: keptStore(store).name ?? name }
  return own.name === undefined ? { ...all, ...own, name: all.name } : { ...all, ...own, wholeName: true }
}

function windowOf({ within, grace = 0 }: StreamJoinStep): JoinWindow {
  const { before, after } = typeof within === 'object' ? within : { before: within, after: within }
  const anyMs = { leastMs: Number.MIN_SAFE_INTEGER }
  const beforeMs = durationMs('before', before, anyMs)
  const afterMs = durationMs('after', after, anyMs)
  if (beforeMs + afterMs < 0)
    throw new DurationError('after', after, `the window ends before it begins, at ${-beforeMs} ms`)
  return { beforeMs, afterMs, graceMs: durationMs('grace', grace) }
}
