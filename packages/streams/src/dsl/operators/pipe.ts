import type { Observable } from 'rxjs'
import { pathBelow } from '../../graph/names.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'
import { type Chain, chainPerValue, lastingChain } from '../piped-chain.ts'
import { addStateless } from './stateless.ts'

/** An RxJS operator, its types laid down; written as a method for the reason given at `Callback`. */
export type Operator = { apply(input: Observable<unknown>): Observable<unknown> }['apply']

/** Sends each value through RxJS operators; key, timestamp and headers follow. */
export function pipe(
  point: Point,
  operators: readonly Operator[],
  options: { readonly name?: string; readonly value?: Serde<unknown>; readonly volatile?: boolean }
): Point {
  const { name, value, volatile = false } = options
  const node = name ?? `${pathBelow(point.step)}-pipe`
  const chain: Chain = (input) => operators.reduce((observable, operator) => operator(observable), input)
  const connect = volatile ? lastingChain(node, chain) : chainPerValue(node, chain)
  return addStateless(point, { verb: 'pipe', name, operator: { kind: 'pipe', connect }, after: { value } })
}
