import { UsageError } from '@millrace/log'
import type { JoinKind } from '../../graph/join-node.ts'
import type { JoinCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { keptResult, type TableStepOptions } from './table-step.ts'

/** Names of joins as they stand in names of stores. */
export const joinVerbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

/** Two tables by equal keys. */
export function tableJoin(
  sides: readonly [Point, Point],
  { join, fn }: { readonly join: JoinKind; readonly fn: JoinCallback },
  options: TableStepOptions
): Point {
  const [left, right] = sides
  refuseOthers(left, right)
  const result = { ...left, key: left.key ?? right.key, value: options.value }
  const step = left.draft.add({
    verb: joinVerbs[join],
    label: options.name,
    parents: [left.step, right.step],
    body: { kind: 'table-join', join, fn, ...keptResult(result, options) }
  })
  return { ...result, step }
}

/** @throws UsageError when the two belong to different topologies. */
export function refuseOthers(left: Point, right: Point): void {
  if (left.draft === right.draft) return
  throw new UsageError(`topology '${left.draft.topology}': a join with a stream or table of another topology`)
}
