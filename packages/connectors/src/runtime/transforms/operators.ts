import { UsageError } from '@millrace/log'
import { chainPerValue } from '@millrace/streams'
import type { Observable, OperatorFunction } from 'rxjs'
import type { RecordTransform, TransformRecord } from './transform.ts'

type Records = TransformRecord

/**
 * Synchronous RxJS operators as a transform, with the rules of `pipe()` in streams: each record goes through a subscription of its own, so
 * nothing is remembered from one to the next, and nothing may be emitted later.
 *
 * ```ts
 * transforms: [operators(filter((record) => record.value !== null), mergeMap((record) => of(record, audit(record))))]
 * ```
 * Up to four; more: nest them with RxJS' `pipe`.
 * @throws StatefulPipeError or LateEmissionError, at the first record, for a chain that needs memory or time.
 */
export function operators(a: OperatorFunction<Records, Records>): RecordTransform
export function operators<A>(a: OperatorFunction<Records, A>, b: OperatorFunction<A, Records>): RecordTransform
export function operators<A, B>(
  a: OperatorFunction<Records, A>,
  b: OperatorFunction<A, B>,
  c: OperatorFunction<B, Records>
): RecordTransform
export function operators<A, B, C>(
  a: OperatorFunction<Records, A>,
  b: OperatorFunction<A, B>,
  c: OperatorFunction<B, C>,
  d: OperatorFunction<C, Records>
): RecordTransform
export function operators(...steps: readonly OperatorFunction<never, unknown>[]): RecordTransform {
  let emitted: TransformRecord[] = []
  // The overloads have seen that each takes what the one before gives.
  const chain = (input: Observable<unknown>) => steps.reduce((before, step) => step(before as Observable<never>), input)
  const input = chainPerValue(
    'operators()',
    chain
  )((value) => {
    if (!isRecord(value)) throw new UsageError('operators(): what the chain emits is no record; map it back to one')
    emitted.push(value)
  })
  return (record) => {
    emitted = []
    input.next(record)
    return emitted
  }
}

function isRecord(value: unknown): value is TransformRecord {
  return typeof value === 'object' && value !== null && 'topic' in value && 'headers' in value && 'key' in value
}
