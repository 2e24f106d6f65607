import type { StatelessOperator } from '../../graph/node.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'

/** What a stateless step makes of the serdes it got; a slot that is not named stays. */
export interface StatelessStep {
  readonly verb: string
  readonly name: string | undefined
  readonly operator: StatelessOperator
  /** The serdes after the step: absent, they stay as they are. */
  readonly after?: { readonly key?: Serde<unknown> | undefined; readonly value?: Serde<unknown> | undefined }
}

/** Adds a step without state. */
export function addStateless(point: Point, { verb, name, operator, after = {} }: StatelessStep): Point {
  const { draft } = point
  const step = draft.add({ verb, label: name, parents: [point.step], body: { kind: 'stateless', operator } })
  return {
    draft,
    step,
    key: 'key' in after ? after.key : point.key,
    value: 'value' in after ? after.value : point.value
  }
}
