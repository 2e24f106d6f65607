import { writeFileAtomically } from '../environment/atomic-file.ts'
import type { FileSystem } from '../environment/environment.ts'
import { imageRecords } from '../quorum/image-records.ts'
import { applyRecords, emptyImage, type MetadataImage } from '../quorum/metadata-image.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from '../quorum/metadata-records.ts'
import { type OnDamage, rebuiltReport } from '../storage/damage.ts'
import { RecordBatchBuilder } from '../wire/batch/batch-builder.ts'
import { ControlType, encodeControlBatch } from '../wire/batch/control-batch.ts'
import { decodeBatches, type RecordBatch, validateBatch } from '../wire/batch/record-batch.ts'
import { DecodeError, encodeStruct } from '../wire/codec.ts'
import { int16, int64, struct } from '../wire/schema.ts'

const SUFFIX = '.checkpoint'
/** Records are put into batches of about this size. */
const BATCH_BYTES = 1024 * 1024

const headerSchema = struct({ version: int16('0+'), lastContainedLogTimestamp: int64('0+') })
const footerSchema = struct({ version: int16('0+') })

/** The metadata up to an offset of its log. */
export interface MetadataSnapshot {
  readonly image: MetadataImage
  /** Offset of the first record that the image does not contain. */
  readonly endOffset: number
}

/** Where the snapshots of a metadata log are: in its own directory. */
export interface SnapshotPlace {
  readonly files: FileSystem
  readonly directory: string
}

/**
 * Writes a snapshot in the place of the earlier ones: Kafka's `<endOffset>-<epoch>.checkpoint`, a file of batches between a header
 * and a footer (KIP-630). It is the second copy of what only the metadata log knows.
 */
export async function writeSnapshot(
  { files, directory }: SnapshotPlace,
  snapshot: MetadataSnapshot & { readonly epoch: number; readonly timestampMs: number }
): Promise<void> {
  const { endOffset, epoch } = snapshot
  const name = `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}${SUFFIX}`
  await writeFileAtomically(files, `${directory}/${name}`, Buffer.concat(encodeSnapshot(snapshot)))
  for (const earlier of snapshotNames({ files, directory })) {
    if (earlier !== name) files.remove(`${directory}/${earlier}`)
  }
}

/** The newest snapshot that is whole; a damaged one is reported and passed over. */
export function readSnapshot(place: SnapshotPlace, onDamage: OnDamage): MetadataSnapshot | undefined {
  for (const name of snapshotNames(place).reverse()) {
    const path = `${place.directory}/${name}`
    try {
      return { image: decodeSnapshot(place.files.readFile(path)), endOffset: Number(name.slice(0, 20)) }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      onDamage(rebuiltReport(path, `${path} is damaged (${error.message}); it is written again`))
    }
  }
  return undefined
}

function snapshotNames({ files, directory }: SnapshotPlace): string[] {
  if (!files.exists(directory)) return []
  const names = files.list(directory).map(({ name }) => name)
  return names.filter((name) => /^\d{20}-\d{10}\.checkpoint$/.test(name)).sort()
}

function encodeSnapshot(
  snapshot: MetadataSnapshot & { readonly epoch: number; readonly timestampMs: number }
): Buffer[] {
  const { epoch: leaderEpoch, timestampMs } = snapshot
  const header = encodeStruct(headerSchema, 0, true, { version: 0, lastContainedLogTimestamp: timestampMs })
  const footer = encodeStruct(footerSchema, 0, true, { version: 0 })
  const batches = [
    encodeControlBatch({ type: ControlType.snapshotHeader, value: header }, { baseOffset: 0, leaderEpoch, timestampMs })
  ]
  let baseOffset = 1
  const builder = new RecordBatchBuilder()
  const finish = () => {
    if (builder.recordCount === 0) return
    batches.push(builder.build({ baseOffset, leaderEpoch }))
    baseOffset += builder.recordCount
    builder.reset()
  }
  for (const record of imageRecords(snapshot.image)) {
    builder.append(null, encodeMetadataRecord(record), timestampMs)
    if (builder.sizeBytes >= BATCH_BYTES) finish()
  }
  finish()
  batches.push(
    encodeControlBatch({ type: ControlType.snapshotFooter, value: footer }, { baseOffset, leaderEpoch, timestampMs })
  )
  return batches
}

/** @throws DecodeError when it is not whole */
function decodeSnapshot(content: Buffer): MetadataImage {
  const batches = decodeBatches(content)
  for (const { buffer } of batches) validateBatch(buffer)
  const sizeBytes = batches.reduce((sum, { buffer }) => sum + buffer.length, 0)
  const closed = batches.length >= 2 && batches[0].isControl && batches[batches.length - 1].isControl
  if (!closed || sizeBytes !== content.length) {
    throw new DecodeError({ reason: 'the snapshot is cut off', path: '', position: sizeBytes })
  }
  return applyRecords(emptyImage, batches.flatMap(metadataRecords))
}

/** The metadata records of a batch; none of a control batch, and none of a kind that we do not know. */
export function metadataRecords(batch: RecordBatch): MetadataRecord[] {
  const records: MetadataRecord[] = []
  if (batch.isControl) return records
  const cursor = batch.records()
  while (cursor.next()) {
    const value = cursor.value()
    const record = value === null ? undefined : decodeMetadataRecord(value)
    if (record !== undefined) records.push(record)
  }
  return records
}
