import type { SourceRecord } from '../../source.ts'
import type { PostgresCdcOptions } from './options.ts'

/** Records that say that the source lives, also while nothing changes. */
export interface Heartbeat {
  readonly intervalMs: number
  readonly emit: (nowMs: number) => void
}

/** Debezium's heartbeat: a record to `__debezium-heartbeat.<name>` every `heartbeatIntervalMs`; none without that option. */
export function heartbeatOf(
  { name, heartbeatIntervalMs: intervalMs }: PostgresCdcOptions,
  add: (record: SourceRecord) => void
): Heartbeat | undefined {
  if (intervalMs === undefined) return undefined
  const topic = `__debezium-heartbeat.${name}`
  const key = Buffer.from(JSON.stringify({ serverName: name }))
  return {
    intervalMs,
    emit: (nowMs) => add({ topic, key, value: Buffer.from(JSON.stringify({ ts_ms: nowMs })), timestamp: nowMs })
  }
}
