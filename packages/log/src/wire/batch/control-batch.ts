import { DecodeError } from '../codec/errors.ts'
import { decodeStruct, encodeStruct } from '../codec.ts'
import { array, type Infer, int16, int32, struct, uuid } from '../schema.ts'
import { type BuildOptions, RecordBatchBuilder } from './batch-builder.ts'
import type { RecordBatch } from './record-batch.ts'

/** Kafka's numbers for the types of control records. */
export const ControlType = {
  abort: 0,
  commit: 1,
  leaderChange: 2,
  snapshotHeader: 3,
  snapshotFooter: 4,
  kraftVersion: 5,
  kraftVoters: 6
} as const

/** A control record: its type by `ControlType`, and a value whose layout depends on the type. */
export interface ControlRecord {
  readonly type: number
  readonly value: Buffer
}

/** The end of a transaction in one partition. */
export interface EndTransactionMarker {
  readonly commit: boolean
  readonly coordinatorEpoch: number
}

/** What an encoded control batch needs besides its record. */
export interface ControlBatchOptions extends Pick<BuildOptions, 'baseOffset' | 'leaderEpoch'> {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
}

/** Whose transaction a marker ends. */
export interface MarkerOptions extends ControlBatchOptions {
  readonly producerId: number
  readonly producerEpoch: number
}

const KEY_BYTES = 4
const MARKER_BYTES = 6

const voter = struct({ voterId: int32('0+'), voterDirectoryId: uuid('1+') })

/** Value of the record that a new leader of a quorum begins its epoch with (`LeaderChangeMessage`), versions 0 and 1. */
const leaderChangeSchema = struct({
  version: int16('0+'),
  leaderId: int32('0+'),
  voters: array('0+', voter),
  grantingVoters: array('0+', voter)
})

/** What a new leader of a quorum says. */
export type LeaderChange = Infer<typeof leaderChangeSchema>

/** A batch of one control record. */
export function encodeControlBatch(record: ControlRecord, options: ControlBatchOptions & BuildOptions): Buffer {
  const key = Buffer.alloc(KEY_BYTES)
  key.writeInt16BE(record.type, 2)
  const builder = new RecordBatchBuilder({ initialBytes: 256 })
  builder.append(key, record.value, options.timestampMs)
  return builder.build({ ...options, control: true })
}

/** The marker that ends a transaction (KIP-98). */
export function encodeEndTransactionMarker(marker: EndTransactionMarker, options: MarkerOptions): Buffer {
  const value = Buffer.alloc(MARKER_BYTES)
  value.writeInt32BE(marker.coordinatorEpoch, 2)
  const type = marker.commit ? ControlType.commit : ControlType.abort
  return encodeControlBatch({ type, value }, { ...options, transactional: true })
}

/** The first record of a quorum leader's epoch (KIP-595). */
export function encodeLeaderChange(change: LeaderChange, options: ControlBatchOptions): Buffer {
  const value = encodeStruct(leaderChangeSchema, change.version, true, change)
  return encodeControlBatch({ type: ControlType.leaderChange, value }, options)
}

/**
 * The record of a control batch; undefined when compaction has emptied it.
 * @throws DecodeError when the batch holds no control record.
 */
export function controlRecord(batch: RecordBatch): ControlRecord | undefined {
  if (!batch.isControl) fail('the batch is not a control batch')
  const cursor = batch.records()
  if (!cursor.next()) return undefined
  const key = cursor.key()
  if (key === null || key.length < KEY_BYTES) fail(`a control record has a key of ${key?.length ?? 'no'} bytes`)
  return { type: key.readInt16BE(2), value: cursor.value() ?? Buffer.alloc(0) }
}

/** What a transaction's marker says; undefined for a control record of another type. */
export function endTransactionMarker(record: ControlRecord): EndTransactionMarker | undefined {
  if (record.type !== ControlType.commit && record.type !== ControlType.abort) return undefined
  if (record.value.length < MARKER_BYTES) fail(`a transaction marker has ${record.value.length} bytes`)
  return { commit: record.type === ControlType.commit, coordinatorEpoch: record.value.readInt32BE(2) }
}

/** What a leader change says; undefined for a control record of another type. */
export function leaderChange(record: ControlRecord): LeaderChange | undefined {
  if (record.type !== ControlType.leaderChange) return undefined
  if (record.value.length < 2) fail(`a leader change has ${record.value.length} bytes`)
  return decodeStruct(leaderChangeSchema, record.value.readInt16BE(0), true, record.value)
}

function fail(reason: string): never {
  throw new DecodeError({ reason, path: '', position: 0 })
}
