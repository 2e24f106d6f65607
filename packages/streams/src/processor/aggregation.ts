import { InvariantError } from '@millrace/log'
import type { Aggregation, EmitMode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Timestamped } from '../state/store.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'

/** The aggregate that a record makes of the one so far; null when the key is gone. */
export type AggregateStep = (old: Timestamped<unknown> | undefined, record: StreamRecord) => unknown

/** The user's aggregation as one step, which names the node in what it throws. */
export function aggregateStep(node: string, aggregation: Aggregation): AggregateStep {
  if (aggregation.kind === 'count') return (old) => (old === undefined ? 1 : Number(old.value) + 1)
  const { initial, add } = aggregation
  return (old, record) => {
    try {
      if (old !== undefined) return add(old.value, record.value, record)
      return initial === undefined ? record.value : add(initial(), record.value, record)
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
  }
}

/** What the first update of a key or window says it was before. */
export function firstOldValue(node: {
  readonly aggregation: Aggregation
  readonly emit: EmitMode
  readonly firstFromInitial?: boolean
}): () => unknown {
  const initial = node.firstFromInitial && node.emit === 'changes' ? node.aggregation.initial : undefined
  return initial ?? (() => undefined)
}

/** The aggregate of a session that a record makes of those it joins, oldest first. */
export type SessionStep = (joined: readonly unknown[], record: StreamRecord) => unknown

/** The user's aggregation and merger as one step: `initial()`, merged with each session in turn, then the record's value. */
export function sessionStep(node: string, aggregation: Aggregation): SessionStep {
  const { kind, initial, add, merge } = aggregation
  if (kind === 'count') return (joined) => joined.reduce((sum: number, counted) => sum + Number(counted), 1)
  if (kind === 'aggregate' && merge === undefined) {
    throw new InvariantError(`node ${node} aggregates sessions without a merger`)
  }
  const merged = merge ?? add
  return (joined, record) => {
    try {
      let aggregate: unknown = initial?.() ?? null
      for (const session of joined) {
        aggregate = aggregate === null && kind === 'reduce' ? session : (merged(aggregate, session, record) ?? null)
      }
      return aggregate === null && kind === 'reduce' ? record.value : add(aggregate, record.value, record)
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
  }
}

/** The way in, or the ways in of a cogroup, which has an adder for each parent. */
export function inputProcesses(
  aggregation: Aggregation,
  processOf: (aggregation: Aggregation, input: number) => Forward
): Pick<Processor, 'process' | 'inputs'> {
  const { adders } = aggregation
  const process = processOf(aggregation, 0)
  if (adders === undefined) return { process }
  const inputs = adders.map((add, input) => (input === 0 ? process : processOf({ ...aggregation, add }, input)))
  return { process, inputs }
}

/** Event time of a result: the greatest that went into it, from the last time the key began. */
export function resultTimestamp(old: Timestamped<unknown> | undefined, record: StreamRecord): number {
  return old === undefined || record.timestamp > old.timestamp ? record.timestamp : old.timestamp
}
