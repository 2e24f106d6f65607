import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { KeyOptions } from '../options.ts'
import { addKeyChange } from './changed-key.ts'

/** Gives each record a new key. Nothing is moved yet: the next key-based step repartitions. */
export function selectKey(point: Point, mapper: Callback<unknown>, { name, key }: KeyOptions<unknown>): Point {
  return addKeyChange(point, { verb: 'selectKey', name, key, operator: { kind: 'selectKey', fn: mapper } })
}
