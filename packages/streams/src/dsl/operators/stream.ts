import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Draft, Point } from '../draft.ts'

type TimestampCallback = {
  run(value: unknown, record: Parameters<Callback<number>>[1], partitionTimeMs: number): number
}['run']

/** Reads topics as a stream of records; several topics are one source, in no order between them but that of their timestamps. */
export function stream(
  draft: Draft,
  topics: readonly string[] | RegExp,
  options: {
    readonly key: Serde<unknown>
    readonly value: Serde<unknown>
    readonly timestamp?: TimestampCallback
    readonly reset?: 'earliest' | 'latest'
    readonly name?: string
  }
): Point {
  const { key, value, timestamp, reset, name } = options
  const step = draft.add({
    verb: 'source',
    label: name,
    parents: [],
    body: {
      kind: 'source',
      ...(topics instanceof RegExp ? { topics: [], pattern: Object.freeze(new RegExp(topics)) } : { topics }),
      key,
      value,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(reset === undefined ? {} : { reset })
    }
  })
  return { draft, step, key, value }
}
