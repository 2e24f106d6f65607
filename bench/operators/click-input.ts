import { string } from '@millrace/streams'
import type { InputRecord } from './operator-run.ts'

/** When the inputs begin, milliseconds since the epoch. */
export const START_MS = Date.UTC(2026, 0, 1)
export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
/** Serdes of inputs. */
export const TEXT = { key: string(), value: string() }
/** Records per second that are aimed at where there is state. */
export const STATEFUL_BUDGET = 150_000

/** Clicks of the keys `ad-0` to `ad-<keys - 1>` by a fixed skew, in time order over an hour. */
export function* clicks(count: number, keys: number): Generator<InputRecord> {
  let seed = 42
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const u = seed / 2 ** 32
    const key = `ad-${Math.floor(keys * u * u)}`
    yield { topic: 'clicks', key, value: `${key}#${i}`, atMs: START_MS + Math.floor((i / count) * 60 * MINUTE_MS) }
  }
}

/** Then one of every partition's keys, so late that all windows are closed and all timers gone off. */
export function* closed(records: Iterable<InputRecord>): Generator<InputRecord> {
  yield* records
  for (let i = 0; i < 64; i++) {
    yield { topic: 'clicks', key: `end-${i}`, value: '', atMs: START_MS + 120 * MINUTE_MS }
  }
}

/** Counts by whatever each record is in. */
export function counted(
  records: Iterable<InputRecord>,
  keysOf: (record: InputRecord) => Iterable<string>
): Map<string, string> {
  const counts = new Map<string, number>()
  for (const record of records) for (const key of keysOf(record)) counts.set(key, (counts.get(key) ?? 0) + 1)
  return new Map([...counts].map(([key, count]) => [key, String(count)]))
}

const long = (value: Buffer) => (value.length === 8 ? String(value.readBigInt64BE()) : '')

/** A count by key. */
export const byKey = (key: Buffer, value: Buffer) => [key.toString(), long(value)] as const

/** A count by key and start of a window. */
export const byWindow = (key: Buffer, value: Buffer) => {
  const end = key.length - 8
  return [`${key.toString('utf8', 0, end)}@${key.readBigInt64BE(end)}`, long(value)] as const
}

/** A count by key, start and end of a session. */
export const bySession = (key: Buffer, value: Buffer) => {
  const end = key.length - 16
  return [
    `${key.toString('utf8', 0, end)}@${key.readBigInt64BE(end + 8)}/${key.readBigInt64BE(end)}`,
    long(value)
  ] as const
}

/** The window of a record, as `byWindow` writes it. */
export const windowOf = (sizeMs: number) => (record: InputRecord) => [
  `${record.key}@${record.atMs - (record.atMs % sizeMs)}`
]
