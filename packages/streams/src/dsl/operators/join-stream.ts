import { UsageError } from '@millrace/log'
import type { JoinKind } from '../../graph/join-node.ts'
import type { Callback, JoinCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { GlobalPoint } from './global-table.ts'
import { streamGlobalJoin } from './stream-global-join.ts'
import { type StreamJoinStep, streamJoin } from './stream-join.ts'
import { type StreamTableJoinStep, streamTableJoin } from './stream-table-join.ts'

/** What a stream is joined with. */
export type JoinedWith = { readonly stream: Point } | { readonly table: Point } | { readonly global: GlobalPoint }

/** Joins a stream with whatever it is given: the methods' types saw to it that the options are those of the kind. */
export function joinStream(
  point: Point,
  other: JoinedWith,
  made: { readonly join: JoinKind; readonly fn: JoinCallback; readonly options: object }
): Point {
  const { join, fn, options } = made
  if ('stream' in other) {
    if (!isStreamJoin(options)) {
      throw new UsageError(`topology '${point.draft.topology}': a join of streams needs { within: '…' }`)
    }
    return streamJoin([point, other.stream], { join, fn }, options)
  }
  if (join === 'outer') {
    throw new UsageError(`topology '${point.draft.topology}': a stream has no outer join with a table`)
  }
  if ('table' in other) {
    const step: StreamTableJoinStep = options
    return streamTableJoin([point, other.table], { join, fn }, step)
  }
  if (!isGlobalJoin(options)) {
    throw new UsageError(`topology '${point.draft.topology}': a join with a global table needs { key: (value) => … }`)
  }
  const { key: mappedKey, ...rest } = options
  return streamGlobalJoin([point, other.global], { join, fn, mappedKey }, rest)
}

function isStreamJoin(options: object): options is StreamJoinStep {
  return 'within' in options
}

function isGlobalJoin(options: object): options is { readonly key: Callback<unknown>; readonly name?: string } {
  return 'key' in options && typeof options.key === 'function'
}
