import { UsageError } from '@millrace/log'
import { chainPerValue } from '@millrace/streams'
import type { Observable, OperatorFunction } from 'rxjs'
import type { RecordTransform, TransformRecord } from './transform.ts'

/** Takes records, gives records, before its call returns. */
type Step = OperatorFunction<TransformRecord, TransformRecord>

/**
 * Synchronous RxJS operators as a transform, with the rules of `pipe()` in streams: each record goes through a subscription of its own, so
 * nothing is remembered from one to the next, and nothing may be emitted later.
 *
 * ```ts
 * transforms: [operators(filter((record) => record.value !== null), mergeMap((record) => of(record, audit(record))))]
 * ```
 * @throws StatefulPipeError or LateEmissionError, at the first record, for a chain that needs memory or time.
 */
export function operators(...steps: readonly Step[]): RecordTransform {
  let emitted: TransformRecord[] = []
  const chain = (input: Observable<unknown>): Observable<unknown> =>
    steps.reduce<Observable<TransformRecord>>((before, step) => before.pipe(step), input as Observable<TransformRecord>)
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
