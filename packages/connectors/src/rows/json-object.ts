import { PoisonousRecordError } from '../errors.ts'
import type { SinkRecord } from '../sink.ts'
import { parseLosslessly } from './lossless-json.ts'
import type { Row } from './row-change.ts'

/**
 * The JSON object in a record's key or value.
 * @throws PoisonousRecordError when it is no JSON, or no object.
 */
export function decodeObject(record: SinkRecord, part: 'key' | 'value', bytes: Buffer): Row {
  const parsed = parse(record, part, bytes)
  if (isRow(parsed)) return parsed
  throw new PoisonousRecordError(record, `its ${part} is JSON, but no object with a column for each field`)
}

/** Whether a parsed JSON value is an object, whose values are column values then. */
export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(record: SinkRecord, part: string, bytes: Buffer): unknown {
  try {
    return parseLosslessly(bytes.toString('utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PoisonousRecordError(record, `its ${part} is no JSON: ${reason}`)
  }
}
