import type { StoreDefinition } from '../graph/node.ts'
import type { TableNode } from '../graph/table-node.ts'
import { prunedVersions, toVersions, versionAt, withVersion } from '../serde/version-list.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * A table that remembers: every version of a row that was valid within `historyMs` before the newest record of this operator. A record older
 * than that is dropped and counted as late; one that is older than the newest of its key takes its place in the past, and goes on as not
 * the latest. One entry a key holds its versions, so that a read as of any time is one point read.
 */
export function versionedTableProcessor(
  node: TableNode & { readonly historyMs: number; readonly store: StoreDefinition },
  context: ProcessorContext,
  forward: Forward
): Processor {
  const store = context.stores.keyValue(node.store.name)
  const time = context.operatorTime(node.name)
  context.stage(time)
  const dropped = context.dropCounter(node.name)
  const process: Forward = (record) => {
    const { key, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    if (timestamp < time.observedMs - node.historyMs) return dropped.add('late')
    if (timestamp > time.observedMs) time.observedMs = timestamp
    const before = toVersions(store.get(key)?.value)
    const latest = before.at(-1)
    const newValue = record.value ?? undefined
    const isLatest = latest === undefined || timestamp >= latest.timestamp
    const versions = prunedVersions(
      withVersion(before, { value: newValue, timestamp }),
      time.observedMs - node.historyMs
    )
    store.put(key, versions.length === 0 ? null : versions, versions.at(-1)?.timestamp ?? timestamp)
    forward(record.with(key, new Change(newValue, latest?.value, isLatest), timestamp))
  }
  return { process }
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
