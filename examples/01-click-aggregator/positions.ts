import { type Log, MillraceError } from '@millrace/log'
import type { FileIdentity } from './line-reader.ts'

/** What has been read of one file, as kept in the compacted topic `click-positions` under the file's real path. */
export interface FilePosition extends FileIdentity, LineCounts {
  /** Bytes read (unpacked ones for gzip). */
  readonly position: number
}

/** What the lines read were. `lines` is the sum of the others. */
export interface LineCounts {
  readonly lines: number
  readonly clicks: number
  readonly ignored: number
  readonly bad: number
}

/** Nothing read yet. */
export const NO_LINES: LineCounts = { lines: 0, clicks: 0, ignored: 0, bad: 0 }

/** Name of the topic that holds the positions. */
export const POSITIONS_TOPIC = 'click-positions'
/** Key of the record that holds what the data directory was begun with; no path is relative, so none is like it. */
export const SETTINGS_KEY = 'settings'

/** A position record that this version cannot read. */
export class PositionFormatError extends MillraceError {
  readonly code = 'CLICKS_POSITION_FORMAT'
}

const FORMAT_VERSION = 1

/** The record's value. */
export function encodePosition(position: FilePosition): Buffer {
  return Buffer.from(JSON.stringify({ version: FORMAT_VERSION, ...position }))
}

/** Committed positions by real path. Call it after the producer's `initTransactions`, so that no older reader can add to them. */
export async function readPositions(log: Log): Promise<Map<string, FilePosition>> {
  const positions = new Map<string, FilePosition>()
  await readCommitted(log, POSITIONS_TOPIC, (key, value) => {
    const path = key?.toString('utf8')
    if (path !== undefined && path !== SETTINGS_KEY && value !== null) positions.set(path, decodePosition(value))
  })
  return positions
}

/**
 * Reads a topic from its start to its end as of now, committed records only, partition by partition in order. Transactions that are still open,
 * or whose end is decided and not yet written everywhere, are waited for.
 */
export async function readCommitted(
  log: Log,
  topic: string,
  visit: (key: Buffer | null, value: Buffer | null, partition: number) => void
): Promise<void> {
  const admin = log.admin()
  const consumer = log.consumer({ isolation: 'read_committed' })
  try {
    const described = (await admin.describeTopics([topic])).get(topic)
    const partitions = (described?.partitions ?? []).map(({ index }) => ({ topic, partition: index }))
    const ends = await consumer.endOffsets(partitions, 'read_uncommitted')
    const left = new Map([...ends].filter(([, end]) => end > 0))
    consumer.assign(partitions)
    for (const tp of partitions) consumer.seek(tp, 0)
    while (left.size > 0) {
      for (const fetched of await consumer.poll(1000)) {
        for (const batch of fetched.batches) {
          const cursor = batch.records()
          while (cursor.next()) visit(cursor.key(), cursor.value(), fetched.partition)
        }
        const name = `${topic}-${fetched.partition}`
        if (fetched.nextOffset >= (left.get(name) ?? 0)) left.delete(name)
      }
    }
  } finally {
    await consumer.close()
    await admin.close()
  }
}

function decodePosition(value: Buffer): FilePosition {
  const parsed: { version: number } & FilePosition = JSON.parse(value.toString('utf8'))
  if (parsed.version !== FORMAT_VERSION) {
    throw new PositionFormatError(
      `a record of ${POSITIONS_TOPIC} has version ${parsed.version}, this program reads ${FORMAT_VERSION}: use the program that wrote it`
    )
  }
  return parsed
}
