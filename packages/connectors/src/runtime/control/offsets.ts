import { type Log, partitionKey } from '@millrace/log'
import type { ConnectorConfig, ConnectorConfigs } from '../configs.ts'
import { OffsetEditError } from '../errors.ts'
import { ensureOffsetsTopic, OFFSETS_TOPIC, offsetsPartition, sinkGroupId, transactionalId } from '../names.ts'
import { loadPositions, positionKey, positionValue } from '../positions.ts'

/** Where a connector goes on: splits of a source with their positions, partitions of a sink with their offsets. */
export type OffsetListing =
  | { readonly type: 'source'; readonly positions: readonly SplitPosition[] }
  | {
      readonly type: 'sink'
      /** Who keeps them: of a transactional sink these are what the target had when the group was last told. */
      readonly keptBy: 'group' | 'target'
      readonly partitions: readonly SinkPosition[]
      /** Offsets that its next start begins at instead. */
      readonly pending: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
    }

/** A split's committed position, as the source wrote it. */
export interface SplitPosition {
  readonly split: string
  readonly position: unknown
}

/** Next offset of a partition, and how many records are behind it. */
export interface SinkPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly lag: number
}

/** One change of where a connector goes on: `place` is a split, or `topic-partition`; null resets it to the beginning. */
export interface OffsetChange {
  readonly place: string
  readonly value: unknown
}

/** Where the connector goes on. */
export async function listOffsets(log: Log, name: string, config: ConnectorConfig): Promise<OffsetListing> {
  if (config.description?.type !== 'sink') {
    const { positions } = await loadPositions(log, name)
    return { type: 'source', positions: [...positions].map(([split, position]) => ({ split, position })) }
  }
  const admin = log.admin()
  try {
    const committed = await admin.listGroupOffsets(sinkGroupId(name))
    const places = [...committed].map(([key, { offset }]) => ({ ...placeOf(name, key), offset }))
    const ends = await admin.listOffsets(
      places.map((place) => ({ ...place, at: 'latest' })),
      'read_committed'
    )
    const partitions = places.map((place) => {
      const end = ends.get(partitionKey(place.topic, place.partition))?.offset ?? place.offset
      return { ...place, lag: Math.max(0, end - place.offset) }
    })
    const keptBy = config.description.delivery === 'transactional' ? 'target' : 'group'
    return { type: 'sink', keptBy, partitions, pending: config.edit }
  } finally {
    await admin.close()
  }
}

/** Changes where a stopped connector goes on. @throws OffsetEditError */
export async function editOffsets(
  log: Log,
  name: string,
  edit: { readonly configs: ConnectorConfigs; readonly changes: readonly OffsetChange[] }
): Promise<void> {
  const { configs, changes } = edit
  const { description } = configs.of(name)
  if (description?.type !== 'sink') {
    await checkSplits(log, name, changes)
    await writePositions(log, name, changes)
    return
  }
  const offsets = await wantedOffsets(log, name, changes)
  if (description.delivery === 'transactional') await configs.setEdit(name, offsets)
  else await commitOffsets(log, name, offsets)
}

/** A split that nobody knows is a mistake, unless nothing is known yet. */
async function checkSplits(log: Log, name: string, changes: readonly OffsetChange[]): Promise<void> {
  const { positions } = await loadPositions(log, name)
  const unknown = changes.find(({ place }) => positions.size > 0 && !positions.has(place))
  if (unknown === undefined) return
  const known = [...positions.keys()].map((split) => `'${split}'`).join(', ')
  throw new OffsetEditError(name, `it has no split '${unknown.place}', but ${known}`)
}

/** As the producer of the source, so that a runner that should be gone is fenced. */
async function writePositions(log: Log, name: string, changes: readonly OffsetChange[]): Promise<void> {
  const { partitions } = await ensureOffsetsTopic(log)
  const partition = offsetsPartition(name, partitions.length)
  const producer = log.producer({ transactionalId: transactionalId(name) })
  try {
    await producer.initTransactions()
    producer.beginTransaction()
    for (const { place, value } of changes) {
      const bytes = positionValue({ connector: name, split: place, position: value })
      producer.enqueue(OFFSETS_TOPIC, partition, positionKey(name, place), bytes, log.environment.clock.nowMs())
    }
    await producer.commitTransaction()
  } finally {
    await producer.close()
  }
}

async function wantedOffsets(log: Log, name: string, changes: readonly OffsetChange[]) {
  const admin = log.admin()
  try {
    const places = changes.map(({ place }) => placeOf(name, place))
    const topics = new Map((await admin.listTopics()).map((topic) => [topic.name, topic.partitions.length]))
    for (const { topic, partition } of places) {
      if (partition < (topics.get(topic) ?? 0)) continue
      throw new OffsetEditError(name, `there is no partition ${topic}-${partition} on the log`)
    }
    const begins = await admin.listOffsets(places.map((place) => ({ ...place, at: 'earliest' })))
    const ends = await admin.listOffsets(places.map((place) => ({ ...place, at: 'latest' })))
    return changes.map(({ place, value }) => {
      const where = placeOf(name, place)
      const key = partitionKey(where.topic, where.partition)
      const begin = begins.get(key)?.offset ?? 0
      const end = ends.get(key)?.offset ?? 0
      const offset = value === null ? begin : value
      if (typeof offset === 'number' && Number.isInteger(offset) && offset >= begin && offset <= end) {
        return { ...where, offset }
      }
      throw new OffsetEditError(name, `${place} holds offsets ${begin} to ${end}, and ${JSON.stringify(value)} is none`)
    })
  } finally {
    await admin.close()
  }
}

async function commitOffsets(
  log: Log,
  name: string,
  offsets: Awaited<ReturnType<typeof wantedOffsets>>
): Promise<void> {
  const consumer = log.consumer({ groupId: sinkGroupId(name) })
  try {
    await consumer.commit(offsets)
  } finally {
    await consumer.close()
  }
}

function placeOf(name: string, place: string): { readonly topic: string; readonly partition: number } {
  const match = /^(.+)-(\d+)$/.exec(place)
  if (match !== null) return { topic: match[1], partition: Number(match[2]) }
  throw new OffsetEditError(name, `'${place}' is no partition: write TOPIC-PARTITION, e.g. orders-0`)
}
