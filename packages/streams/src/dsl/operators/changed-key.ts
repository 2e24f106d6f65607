import { nodeName } from '../../graph/names.ts'
import type { StatelessOperator } from '../../graph/node.ts'
import { defaultKey } from '../../serde/default-key.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'
import { addStateless } from './stateless.ts'

/** Adds a step whose records have new keys, written by `key` or else as text. The next key-based step repartitions. */
export function addKeyChange(
  point: Point,
  step: {
    readonly verb: string
    readonly name: string | undefined
    readonly operator: StatelessOperator
    readonly key: Serde<unknown> | undefined
  }
): Point {
  const changed = addStateless(point, step)
  return { ...changed, key: step.key ?? defaultKey(nodeName(changed.step)) }
}
