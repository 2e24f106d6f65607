import { cpSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type BrokerEvent, type Log, type OpenLogOptions, openLog } from '@millrace/log'
import {
  defineTopology,
  json,
  type RestoreProgress,
  runStreams,
  type StreamsApp,
  string,
  tumbling
} from '@millrace/streams'

/** Small segments, so that there are several; nothing is compacted or deleted, so that records can be compared. */
const SMALL = { 'segment.bytes': '4096', 'index.interval.bytes': '256', 'retention.ms': '-1' }
const APPLICATION = 'visits'

/** Counts visits per page and minute; its input is all read when the directory is made. */
const topology = defineTopology(APPLICATION, (b) => {
  b.stream('visits', { key: string(), value: json<{ at: number }>(), timestamp: (visit) => visit.at })
    .groupByKey()
    .windowedBy(tumbling({ size: '1m', grace: '1d' }))
    .count({ store: 'visits-per-page' })
    .toStream()
    .to('visits-per-minute')
})

/** Opens the log in a directory as this test uses it. */
export function openSmallLog(dir: string, onEvent: (event: BrokerEvent) => void): Promise<Log> {
  const broker: OpenLogOptions['broker'] = {
    offsetsTopicPartitions: 1,
    transactionTopicPartitions: 1,
    offsetsTopicSegmentBytes: 4096,
    transactionTopicSegmentBytes: 4096,
    cleanerEnabled: false,
    offsetsRetentionMs: Number.MAX_SAFE_INTEGER
  }
  return openLog({ dir, broker, onEvent })
}

/** Runs the topology over an open log. */
export function runVisits(log: Log): Promise<StreamsApp> {
  return runStreams(topology, { log, commitInterval: 10, internalTopicConfigs: SMALL })
}

/**
 * Fills a directory by the real programs: transactions, some aborted, on two partitions; plain records; a compacted topic; a group's offsets; an
 * application with a store in LevelDB.
 * @returns with the log still open, for a copy as a killed process would leave it; `close` closes it in order.
 */
export async function makeDataDirectory(dir: string): Promise<{ close(): Promise<void> }> {
  const log = await openSmallLog(dir, () => undefined)
  const admin = log.admin()
  await admin.ensureTopic({ name: 'visits', partitions: 2, configs: SMALL })
  await admin.ensureTopic({ name: 'visits-per-minute', partitions: 2, configs: SMALL })
  await admin.ensureTopic({ name: 'plain', partitions: 1, configs: SMALL })
  await admin.ensureTopic({ name: 'settings', partitions: 1, configs: { ...SMALL, 'cleanup.policy': 'compact' } })
  const app = await runVisits(log)
  await app.running
  await writeVisits(log)
  await writePlain(log)
  await allConsumed(log)
  await admin.close()
  return {
    close: async () => {
      await app.close()
      await log.close()
    }
  }
}

async function writeVisits(log: Log): Promise<void> {
  const producer = log.producer({ transactionalId: 'visitors', lingerMs: 1000 })
  await producer.initTransactions()
  for (let transaction = 0; transaction < 30; transaction++) {
    producer.beginTransaction()
    for (let i = 0; i < 8; i++) {
      const at = 1_700_000_000_000 + transaction * 10_000 + i
      const value = Buffer.from(JSON.stringify({ at }))
      producer.enqueue('visits', i % 2, Buffer.from(`/page-${i % 5}`), value, at)
    }
    if (transaction % 5 === 4) await producer.abortTransaction()
    else await producer.commitTransaction()
  }
  await producer.close()
}

async function writePlain(log: Log): Promise<void> {
  const producer = log.producer()
  for (let i = 0; i < 100; i++) {
    const value = Buffer.from(`value ${i} ${'.'.repeat(i)}`)
    const timestamp = 1_700_000_000_000 + i
    await producer.send({ topic: 'plain', partition: 0, key: null, value, timestamp })
    if (i % 5 === 0)
      await producer.send({ topic: 'settings', partition: 0, key: Buffer.from(`k${i % 3}`), value, timestamp })
  }
  await producer.close()
  const consumer = log.consumer({ groupId: 'readers' })
  for (let offset = 1; offset <= 42; offset++) await consumer.commit([{ topic: 'plain', partition: 0, offset }])
  await consumer.close()
}

async function allConsumed(log: Log): Promise<void> {
  const admin = log.admin()
  const ends = await admin.listOffsets([0, 1].map((partition) => ({ topic: 'visits', partition, at: 'latest' })))
  for (;;) {
    const committed = await admin.listGroupOffsets(APPLICATION)
    if ([...ends].every(([partition, { offset }]) => (committed.get(partition)?.offset ?? 0) >= offset)) break
    await new Promise<void>((resolve) => log.environment.timers.set(5, resolve))
  }
  await admin.close()
}

/** Every file below a directory, relative, sorted. */
export function filesBelow(dir: string, prefix = ''): string[] {
  return readdirSync(join(dir, prefix))
    .flatMap((name) => {
      const path = prefix === '' ? name : `${prefix}/${name}`
      return statSync(join(dir, path)).isDirectory() ? filesBelow(dir, path) : [path]
    })
    .sort()
}

/** A copy of a directory. */
export function copyDirectory(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
}

/** What is in a directory, as a program that opens it sees it. */
export interface Inspection {
  /** When it was opened, milliseconds since the epoch. */
  readonly beganMs: number
  readonly events: readonly BrokerEvent[]
  /** By partition, the text of each record by its offset. */
  readonly records: ReadonlyMap<string, ReadonlyMap<number, string>>
  /** Why reading a partition ended before its end, by partition. */
  readonly unread: ReadonlyMap<string, unknown>
  readonly groupOffsets: string
  /** The application's store, and why it was rebuilt if it was. */
  readonly store: readonly string[]
  readonly rebuilt: readonly string[]
}

/** Opens, reads everything, lets the application start, and closes. @throws what opening throws */
export async function inspect(dir: string): Promise<Inspection> {
  const events: BrokerEvent[] = []
  const beganMs = Date.now()
  const log = await openSmallLog(dir, (event) => events.push(event))
  try {
    const { records, unread } = await readEverything(log)
    const admin = log.admin()
    const groups = await Promise.all(['readers', APPLICATION].map((group) => admin.listGroupOffsets(group)))
    await admin.close()
    const groupOffsets = JSON.stringify(
      groups.map((offsets) => [...offsets].map(([name, { offset }]) => [name, offset]).sort())
    )
    return { beganMs, events, records, unread, groupOffsets, ...(await readStore(log)) }
  } finally {
    await log.close()
  }
}

async function readEverything(log: Log): Promise<Pick<Inspection, 'records' | 'unread'>> {
  const admin = log.admin()
  const topics = await admin.listTopics()
  const records = new Map<string, Map<number, string>>()
  const unread = new Map<string, unknown>()
  for (const { name: topic, partitions } of topics) {
    for (const { index: partition } of partitions) {
      const found = new Map<number, string>()
      records.set(`${topic}-${partition}`, found)
      await readPartition(log, { topic, partition }, found).catch((error) => unread.set(`${topic}-${partition}`, error))
    }
  }
  await admin.close()
  return { records, unread }
}

/** So many polls that bring nothing, one after the other: each is an answer of the log, or many turns in which it could have given one. */
const EMPTY_POLLS = 20

async function readPartition(
  log: Log,
  at: { readonly topic: string; readonly partition: number },
  found: Map<number, string>
): Promise<void> {
  const consumer = log.consumer({ isolation: 'read_uncommitted', fetchMaxWaitMs: 50 })
  try {
    const name = `${at.topic}-${at.partition}`
    const begin = (await consumer.beginningOffsets([at])).get(name) ?? 0
    const end = (await consumer.endOffsets([at])).get(name) ?? 0
    consumer.assign([at])
    consumer.seek(at, begin)
    for (let empty = 0; consumer.position(at) < end; ) {
      if (empty++ === EMPTY_POLLS) throw new TypeError(`stuck at ${consumer.position(at)} of ${end}`)
      for (const { batches } of await consumer.poll(100)) {
        for (const batch of batches) {
          empty = 0
          const cursor = batch.records()
          while (cursor.next()) {
            found.set(
              cursor.offset,
              `${cursor.timestamp} ${cursor.key()?.toString('hex')} ${cursor.value()?.toString('hex')}`
            )
          }
        }
      }
    }
  } finally {
    await consumer.close()
  }
}

async function readStore(log: Log): Promise<Pick<Inspection, 'store' | 'rebuilt'>> {
  const app = await runVisits(log)
  const rebuilt: RestoreProgress[] = []
  app.restore$.subscribe((progress) => rebuilt.push(progress))
  const store: string[] = []
  const failed = app.done.then(() => undefined)
  failed.catch(() => undefined)
  const read = async () => {
    await app.running
    for await (const { key, value, window } of app.store('visits-per-page').all()) {
      store.push(`${key} ${window?.startMs} ${value}`)
    }
  }
  await Promise.race([failed, read()])
  await app.close()
  const reasons = rebuilt.flatMap(({ rebuildReason }) => (rebuildReason === undefined ? [] : [rebuildReason]))
  return { store: store.sort(), rebuilt: reasons }
}
