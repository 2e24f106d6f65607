import type { Serde } from '@millrace/streams'
import type { RecordTransform, TransformRecord } from './transform.ts'

/** Keeps the records for which the predicate holds. */
export function filterRecords(keep: (record: TransformRecord) => boolean): RecordTransform {
  return (record) => (keep(record) ? record : null)
}

/** Drops records without a value, for targets that cannot delete. */
export function dropTombstones(): RecordTransform {
  return filterRecords((record) => record.value !== null)
}

/**
 * Sends records elsewhere: another topic for a source, another table or file for a sink. With a pattern, as Kafka Connect's RegexRouter: it has to
 * match the whole name, `$1` stands for a group, and what does not match stays.
 */
export function route(to: (record: TransformRecord) => string): RecordTransform
export function route(pattern: RegExp, replacement: string): RecordTransform
export function route(first: RegExp | ((record: TransformRecord) => string), replacement = ''): RecordTransform {
  if (typeof first === 'function') return (record) => ({ ...record, topic: first(record) })
  const whole = new RegExp(`^(?:${first.source})$`, first.flags.replace('g', ''))
  return (record) => {
    if (!whole.test(record.topic)) return record
    return { ...record, topic: record.topic.replace(whole, replacement) }
  }
}

/**
 * Changes decoded values. Tombstones pass as they are.
 * @param serde decodes and encodes; what it throws is dealt with as `onError` says.
 */
export function mapValue<V>(serde: Serde<V>, change: (value: V, record: TransformRecord) => V | null): RecordTransform {
  return (record) => {
    const { value } = record
    if (value === null) return record
    const changed = change(serde.decode(value, 0, value.length), record)
    return { ...record, value: changed === null ? null : serde.encode(changed) }
  }
}

/** Takes the key from the decoded value, as Kafka Connect's ValueToKey. Tombstones keep the key that they have. */
export function keyFrom<V, K>(value: Serde<V>, key: Serde<K>, choose: (value: V) => K): RecordTransform {
  return (record) => {
    if (record.value === null) return record
    return { ...record, key: key.encode(choose(value.decode(record.value, 0, record.value.length))) }
  }
}
