import type { Header } from '@millrace/log'

/**
 * What a transform sees of a record: of a source before it is written, of a sink before it is delivered. The bytes are shared with other
 * readers: make new ones instead of changing them.
 */
export interface TransformRecord {
  /** Where the record goes: a topic for a source; for a sink the name that it is delivered under (`SinkRecord.routedTo`). */
  readonly topic: string
  readonly key: Buffer | null
  /** Null is a tombstone. */
  readonly value: Buffer | null
  /** Milliseconds since the epoch; undefined when the source gave none. */
  readonly timestamp: number | undefined
  readonly headers: readonly Header[]
}

/**
 * Changes a record, drops it (null), or makes several out of it. Synchronous, and a function of the record alone: it runs again after a
 * failure, and must give the same. What it throws is dealt with as `onError` says.
 */
export type RecordTransform = (record: TransformRecord) => TransformRecord | readonly TransformRecord[] | null

/** All transforms, one after the other, as one that gives a list. */
export function chainTransforms(
  transforms: readonly RecordTransform[]
): ((record: TransformRecord) => readonly TransformRecord[]) | undefined {
  if (transforms.length === 0) return undefined
  return (record) => {
    let records: readonly TransformRecord[] = [record]
    for (const transform of transforms) records = records.flatMap((one) => listOf(transform(one)))
    return records
  }
}

function listOf(result: ReturnType<RecordTransform>): readonly TransformRecord[] {
  if (result === null) return []
  return isList(result) ? result : [result]
}

function isList(result: TransformRecord | readonly TransformRecord[]): result is readonly TransformRecord[] {
  return Array.isArray(result)
}
