import { type Duration, durationMs } from '../../graph/duration.ts'
import type { OffsetReset } from '../../graph/node.ts'
import type { Step } from '../../graph/step.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Callback } from '../callback.ts'
import type { Draft, Point } from '../draft.ts'
import type { StreamOptions } from '../options.ts'

type TimestampCallback = {
  run(value: unknown, record: Parameters<Callback<number>>[1], partitionTimeMs: number): number
}['run']

/**
 * Reads topics as a stream of records; several topics are one source, in no order between them but that of their timestamps. The same topics read
 * again in the same way are the same source.
 */
export function stream(
  draft: Draft,
  topics: readonly string[] | RegExp,
  options: {
    readonly key: Serde<unknown>
    readonly value: Serde<unknown>
    readonly timestamp?: TimestampCallback
    readonly reset?: StreamOptions<unknown, unknown>['reset']
    readonly name?: string
  }
): Point {
  const { key, value, timestamp, reset, name } = options
  const body: SourceBody = {
    kind: 'source',
    ...(topics instanceof RegExp ? { topics: [], pattern: Object.freeze(new RegExp(topics)) } : { topics }),
    key,
    value,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(reset === undefined ? {} : { reset: typeof reset === 'string' ? reset : sinceOf(reset.since) })
  }
  const same = draft.find((step) => step.label === name && isSource(step.body) && isSame(step.body, body))
  const step = same ?? draft.add({ verb: 'source', label: name, parents: [], body })
  return { draft, step, key, value }
}

function sinceOf(since: Duration): OffsetReset {
  return Object.freeze({ sinceMs: durationMs('since', since) })
}

type SourceBody = Extract<Step['body'], { kind: 'source' }>

function isSource(body: Step['body']): body is SourceBody {
  return body.kind === 'source'
}

function isSame(one: SourceBody, other: SourceBody): boolean {
  return (
    one.topics.length === other.topics.length &&
    one.topics.every((topic, i) => topic === other.topics[i]) &&
    String(one.pattern) === String(other.pattern) &&
    one.key === other.key &&
    one.value === other.value &&
    one.timestamp === other.timestamp &&
    JSON.stringify(one.reset) === JSON.stringify(other.reset)
  )
}
