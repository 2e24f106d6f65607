import type { CombinedWindows, CombineNode } from '../graph/combine-node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { SaltedKey } from '../serde/salted-key.ts'
import { aggregateStep, resultTimestamp } from './aggregation.ts'
import { CombinedValues } from './combined-values.ts'
import { emittedRecord } from './emitted-record.ts'
import type { OperatorTime } from './operator-time.ts'
import type { Forward, Processor } from './processor.ts'
import type { EmissionSource, ProcessorContext } from './task-context.ts'

/** So many keys (and panes) ask for a commit, which empties them. */
const MOST_COMBINED = 100_000

/**
 * Combines the records of each key, or key and pane, until the commit, and then sends on one for each, with the greatest of their timestamps. Null
 * keys are dropped and counted; without windows so are null values; with them, records all of whose windows are closed, by the greatest
 * timestamp that reached this node in this task.
 */
export function combineProcessor(node: CombineNode, context: ProcessorContext, forward: Forward): Processor {
  const combined = new CombinedValues(node.key)
  context.stage(combined)
  const admits = admission(node, context)
  const step = aggregateStep(node.name, node.aggregation)
  const emit = context.guardEmission(sourceOf(node), forward)
  const { paneMs } = node.windows ?? {}
  const dropped = context.dropCounter(node.name)

  const process: Forward = (record) => {
    const { key, timestamp } = record
    if (!(key instanceof SaltedKey)) return dropped.add('null-key')
    if (!admits(record)) return
    const entry = combined.at(key.key, paneMs === undefined ? 0 : Math.floor(timestamp / paneMs) * paneMs)
    const value = step(entry.current, record)
    combined.set(entry, { value, timestamp: resultTimestamp(entry.current, record) })
    if (combined.size >= MOST_COMBINED) context.requestCommit()
  }
  const flush = () => {
    for (const { key, current } of combined.take()) {
      // Without a value: its only record was skipped.
      if (current === undefined) continue
      emit(emittedRecord(key, current.value, current.timestamp))
    }
  }
  return { process, flush }
}

/** Whether a record takes part; those that do not are counted. */
function admission(node: CombineNode, context: ProcessorContext): (record: StreamRecord) => boolean {
  const dropped = context.dropCounter(node.name)
  const { windows } = node
  if (windows === undefined) {
    return ({ value }) => {
      if (value !== null && value !== undefined) return true
      dropped.add('null-value')
      return false
    }
  }
  const time = context.operatorTime(node.name)
  context.stage(time)
  return ({ timestamp }) => {
    if (isInTime(windows, time, timestamp)) return true
    dropped.add('late')
    return false
  }
}

function isInTime({ sizeMs, advanceMs, graceMs }: CombinedWindows, time: OperatorTime, timestamp: number): boolean {
  if (timestamp > time.observedMs) time.observedMs = timestamp
  const lastStartMs = Math.floor(timestamp / advanceMs) * advanceMs
  return lastStartMs + sizeMs > time.observedMs - graceMs
}

function sourceOf(node: CombineNode): EmissionSource {
  return {
    node: node.name,
    encode: ({ key, value }) => ({
      key: node.key.encode(key),
      value: value === null || value === undefined ? null : node.value.encode(value)
    })
  }
}
