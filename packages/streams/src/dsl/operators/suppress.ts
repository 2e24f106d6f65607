import { UsageError } from '@millrace/log'
import type { Step } from '../../graph/step.ts'
import type { SuppressUntil } from '../../graph/suppress-node.ts'
import { isVersioned, isViewOfOne } from '../../graph/table-plan.ts'
import { buffered } from '../../serde/buffered.ts'
import type { Point } from '../draft.ts'
import { keptStore } from '../materialized.ts'
import { requireOptions } from '../mistakes.ts'
import type { Suppressed, SuppressOptions } from '../suppress-until.ts'
import { closeDelayMs } from './kept-windows.ts'
import { type AnyLateOption, lateOption } from './windowed-by.ts'

/** What a suppress is told, its types laid down. */
export type SuppressStep = Omit<SuppressOptions, 'onLate'> & { readonly onLate?: AnyLateOption }

/** Holds a table's updates back. What is held is kept in a store of its own, with a changelog. */
export function suppress(
  point: Point,
  until: Suppressed,
  { name, store, oldValue = 'emitted', onLate }: SuppressStep
): Point {
  const { draft, key, value } = point
  requireOptions(until, `topology '${draft.topology}': suppress`, 'untilWindowCloses()')
  if (isVersioned(point.step)) {
    throw new UsageError(`topology '${draft.topology}': a versioned table is not suppressed: its past would be lost`)
  }
  if (onLate !== undefined && (until.kind !== 'window-close' || until.idleMs === undefined)) {
    throw new UsageError(
      `topology '${draft.topology}': onLate of suppress() is for untilWindowCloses({ idle }) only: nothing else is late there`
    )
  }
  const step = draft.add({
    verb: 'suppress',
    label: name,
    parents: [point.step],
    body: {
      kind: 'suppress',
      until: held(point, until),
      oldValue,
      ...(onLate && { late: lateOption(onLate, [{ key, value }]) }),
      store: { kind: 'buffer', ...keptStore(store), key, value: value === undefined ? undefined : buffered(value) }
    }
  })
  return { draft, step, key, value }
}

function held({ draft, step }: Point, until: Suppressed): SuppressUntil {
  if (until.kind === 'time-limit') return until
  const delayMs = windowDelayMs(step)
  if (delayMs === undefined) {
    throw new UsageError(
      `topology '${draft.topology}': suppress(untilWindowCloses()) needs a table of windows that end: ` +
        'tumbling, hopping, sliding or sessions'
    )
  }
  return { ...until, delayMs }
}

/** How long the windows above take records after their end. */
function windowDelayMs({ body, parents }: Step): number | undefined {
  if (body.kind === 'windowed-aggregate') return closeDelayMs(body.window)
  if (body.kind !== 'table-join' && body.kind !== 'suppress' && !isViewOfOne(body)) return undefined
  // Of a join, as in Kafka Streams, those that take records longer decide.
  const delays = parents.map(windowDelayMs).filter((delayMs) => delayMs !== undefined)
  return delays.length < parents.length ? undefined : Math.max(...delays)
}
