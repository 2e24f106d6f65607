import type { Log } from '@millrace/log'
import type { RunningConnector } from '../running-connector.ts'

const running = new WeakMap<Log, Set<RunningConnector>>()

/** Notes a connector that runs on the log in this process. @returns what ends it. */
export function register(log: Log, connector: RunningConnector): () => void {
  const all = running.get(log) ?? new Set()
  running.set(log, all)
  all.add(connector)
  return () => all.delete(connector)
}

/** Connectors that run on the log in this process. */
export function runningOn(log: Log): readonly RunningConnector[] {
  return [...(running.get(log) ?? [])]
}
