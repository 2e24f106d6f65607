import { PoisonousRecordError } from '../../errors.ts'
import type { SinkRecord } from '../../sink.ts'

/** How records become the body of a request. */
export interface HttpBody {
  readonly contentType: string
  /** @throws PoisonousRecordError for a record that cannot be written so. */
  encode(records: readonly SinkRecord[]): string | Uint8Array
}

/** The value's bytes as they are, of one record; with several, one after the other. */
export function rawBody(contentType = 'application/json'): HttpBody {
  return {
    contentType,
    encode: (records) => (records.length === 1 ? sentValue(records[0]) : Buffer.concat(records.map(sentValue)))
  }
}

/** A JSON array of the values, which are JSON. */
export function jsonArrayBody(): HttpBody {
  return { contentType: 'application/json', encode: (records) => `[${records.map(jsonOf).join(',')}]` }
}

/** The values, which are JSON without line ends, a line each. */
export function ndjsonBody(): HttpBody {
  return {
    contentType: 'application/x-ndjson',
    encode: (records) => records.map((record) => `${onOneLine(record)}\n`).join('')
  }
}

/**
 * A JSON array of `{ topic, partition, offset, timestamp, key, value }`, by which the target can tell records that it has already. The key is its text, or
 * null; the value, which is JSON, is null for a tombstone.
 */
export function jsonRecordsBody(): HttpBody {
  return { contentType: 'application/json', encode: (records) => `[${records.map(describe).join(',')}]` }
}

function describe(record: SinkRecord): string {
  const { topic, partition, offset, timestamp, key } = record
  const place = JSON.stringify({ topic, partition, offset, timestamp, key: key === null ? null : key.toString('utf8') })
  return `${place.slice(0, -1)},"value":${record.value === null ? 'null' : jsonOf(record)}}`
}

function sentValue(record: SinkRecord | undefined): Buffer {
  if (record?.value) return record.value
  if (record === undefined) return Buffer.alloc(0)
  const ways = "leave tombstones out with dropTombstones(), or use mode 'upsert' where they delete"
  throw new PoisonousRecordError(record, `it has no value to send: ${ways}`)
}

/** The value as it was written, so that no digit of a number is lost; it is parsed to know that it does not break those around it. */
function jsonOf(record: SinkRecord): string {
  const text = sentValue(record).toString('utf8')
  try {
    JSON.parse(text)
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new PoisonousRecordError(record, `its value is not JSON: ${problem}`, { cause })
  }
  return text
}

/** Line ends in JSON are white space between tokens. */
function onOneLine(record: SinkRecord): string {
  return jsonOf(record).replaceAll(/[\r\n]+/g, ' ')
}
