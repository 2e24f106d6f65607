import type { StoreDefinition } from '../graph/node.ts'
import type { TableNode, TableNodeBase } from '../graph/table-node.ts'
import { prunedVersions, toVersions, versionAt, withVersion } from '../serde/version-list.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import type { TableOutput } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'

/** A table that keeps versions. */
export type VersionedNode<N extends TableNodeBase = TableNodeBase> = N & {
  readonly historyMs: number
  readonly store: StoreDefinition
}

/** A table that remembers, of a topic or a stream. */
export function versionedTableProcessor(
  node: VersionedNode<TableNode>,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const output = versionedOutput(node, context, forward)
  const dropped = context.dropCounter(node.name)
  return {
    process: (record) => {
      const { key, timestamp } = record
      if (key === null || key === undefined) return dropped.add('null-key')
      output.update(record, { newValue: record.value ?? undefined, oldValue: undefined, timestamp, isLatest: true })
    }
  }
}

/**
 * The way out of a table that remembers: every version of a row that was valid within `historyMs` before the newest record of this operator. A record older
 * than that is dropped and counted as late; one that is older than the newest of its key takes its place in the past, and goes on as not
 * the latest. One entry a key holds its versions, so that a read as of any time is one point read.
 */
export function versionedOutput(node: VersionedNode, context: ProcessorContext, forward: Forward): TableOutput {
  const store = context.stores.keyValue(node.store.name)
  const time = context.operatorTime(node.name)
  context.stage(time)
  const dropped = context.dropCounter(node.name)
  return {
    kept: (key) => toVersions(store.get(key)?.value).at(-1)?.value,
    update: (record, { newValue, timestamp }) => {
      const { key } = record
      if (timestamp < time.observedMs - node.historyMs) return dropped.add('late')
      if (timestamp > time.observedMs) time.observedMs = timestamp
      const before = toVersions(store.get(key)?.value)
      const latest = before.at(-1)
      const isLatest = latest === undefined || timestamp >= latest.timestamp
      const versions = prunedVersions(
        withVersion(before, { value: newValue, timestamp }),
        time.observedMs - node.historyMs
      )
      store.put(key, versions.length === 0 ? null : versions, versions.at(-1)?.timestamp ?? timestamp)
      forward(record.with(key, new Change(newValue, latest?.value, isLatest), timestamp))
    }
  }
}

/** The row as it was at a time; undefined where it was none, and for times before the history, unless the latest version is older still. */
export function readVersion(
  versions: unknown,
  asOfMs: number,
  limits: { readonly observedMs: number; readonly historyMs: number }
): { readonly value: unknown; readonly timestamp: number } | undefined {
  const list = toVersions(versions)
  const version = versionAt(list, asOfMs)
  if (version !== list.at(-1) && asOfMs < limits.observedMs - limits.historyMs) return undefined
  return version?.value === undefined ? undefined : version
}
