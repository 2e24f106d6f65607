import type { Log } from '@millrace/log'
import type { Positions } from '../source.ts'
import { ConnectorTopicError, PositionError } from './errors.ts'
import { ensureOffsetsTopic, OFFSETS_TOPIC, offsetsPartition } from './names.ts'
import { readToEnd } from './read-topic.ts'

/** The committed positions of a source, and the partition that they are kept in. */
export interface StoredPositions {
  readonly partition: number
  /** By split, as JSON was parsed. */
  readonly positions: Map<string, unknown>
}

/**
 * Reads a source's committed positions. Call it after the producer of the source has fenced its predecessor, whose open transaction is settled then.
 * @throws ConnectorTopicError when a record is no position.
 */
export async function loadPositions(log: Log, connector: string): Promise<StoredPositions> {
  const { partitions } = await ensureOffsetsTopic(log)
  const partition = offsetsPartition(connector, partitions.length)
  const positions = new Map<string, unknown>()
  for await (const { records } of readToEnd(log, { topic: OFFSETS_TOPIC, partitions: [partition] })) {
    for (const { key, value, offset } of records) {
      const where = { topic: OFFSETS_TOPIC, partition, offset }
      const [name, split] = parsePositionKey(key, where)
      if (name !== connector) continue
      if (value === null) positions.delete(split)
      else positions.set(split, parseJson(value, where))
    }
  }
  return { partition, positions }
}

/** Key of a split's position: JSON `["<connector>","<split>"]`. */
export function positionKey(connector: string, split: string): Buffer {
  return Buffer.from(JSON.stringify([connector, split]))
}

/**
 * Value of a position: its JSON; a tombstone for null, which forgets the split.
 * @throws PositionError when JSON cannot carry it.
 */
export function positionValue(given: {
  readonly connector: string
  readonly split: string
  readonly position: unknown
}): Buffer | null {
  if (given.position === null) return null
  const text = stringify(given)
  if (text === undefined) throw new PositionError(given.connector, given.split)
  return Buffer.from(text)
}

function stringify({ connector, split, position }: Parameters<typeof positionValue>[0]): string | undefined {
  try {
    return JSON.stringify(position)
  } catch (cause) {
    throw new PositionError(connector, split, { cause })
  }
}

/** Stored positions as the source's own type: what it wrote itself, it reads itself. */
export function positionsOf<Position>(stored: ReadonlyMap<string, unknown>): Positions<Position> {
  return stored as Positions<Position>
}

interface Where {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** @throws ConnectorTopicError */
export function parsePositionKey(key: Buffer | null, where: Where): [connector: string, split: string] {
  const parsed = key === null ? undefined : parseJson(key, where)
  if (Array.isArray(parsed) && typeof parsed[0] === 'string' && typeof parsed[1] === 'string') {
    return [parsed[0], parsed[1]]
  }
  throw new ConnectorTopicError(where, 'its key is no ["<connector>","<split>"]')
}

function parseJson(bytes: Buffer, where: Where): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ConnectorTopicError(where, 'it is no JSON', { cause })
  }
}
