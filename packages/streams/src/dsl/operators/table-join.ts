import { UsageError } from '@millrace/log'
import type { JoinKind } from '../../graph/join-node.ts'
import { pathBelow } from '../../graph/names.ts'
import { TopologyError } from '../../graph/topology-error.ts'
import type { Serde } from '../../serde/serde.ts'
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
  refuseOtherKeys(left, right, { verb: joinVerbs[join], name: options.name })
  const result = { ...left, key: left.key ?? right.key, value: options.value }
  const step = left.draft.add({
    verb: joinVerbs[join],
    label: options.name,
    parents: [left.step, right.step],
    body: { kind: 'table-join', join, fn, ...keptResult(result, options) }
  })
  return { ...result, step }
}

/**
 * Rows of equal keys meet only where their bytes are equal: in a partition, and in a store. Serdes of other names are taken to write other bytes.
 * @throws TopologyError
 */
export function refuseOtherKeys(
  left: Point,
  right: Point,
  { verb, name }: { readonly verb: string; readonly name: string | undefined }
): void {
  if (left.key === undefined || right.key === undefined || writtenAs(left.key) === writtenAs(right.key)) return
  throw new TopologyError({
    topology: left.draft.topology,
    node: name ?? `${pathBelow(left.step)}-${verb}`,
    problem: `the keys on the left are written as ${left.key.name} and those on the right as ${right.key.name}: equal keys would not meet; give both the same serde`
  })
}

/** UUIDs are text. A session is found as a window of the same key and bounds, and is in the same partition: that of the key. */
function writtenAs({ name }: Serde<unknown>): string {
  return name === 'uuid' ? 'string' : name.replace(/^sessionWindowed\(/, 'windowed(')
}

/** @throws UsageError when the two belong to different topologies. */
export function refuseOthers(left: Point, right: Point): void {
  if (left.draft === right.draft) return
  throw new UsageError(`topology '${left.draft.topology}': a join with a stream or table of another topology`)
}
