import { type Header, type Log, partitionForKey, partitionKey, UsageError } from '@millrace/log'
import { ConnectErrorHeader, errorHeader, originalHeaders } from '../dead-letters.ts'
import { findTopic } from '../names.ts'
import { type ReadRecord, readToEnd, recordsOf } from '../read-topic.ts'

/** A dead letter: where the record came from, why it is here, and what it was. */
export interface DeadLetter {
  /** Where the letter is. */
  readonly partition: number
  readonly offset: number
  readonly atMs: number
  /** Where the record was; partition and offset are -1 of one that had not reached the log. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number }
  readonly stage: string
  readonly message: string
  /** Whether it was sent back already. */
  readonly replayed: boolean
  /** As UTF-8 text, for people. */
  readonly key: string | null
  readonly value: string | null
}

/** Whose letters, and where they are. */
export interface LetterBox {
  readonly connector: string
  readonly topic: string
}

/** Which of a connector's dead letters. */
export interface DeadLetterQuery {
  /** Most of a page; default 1,000. A page of large letters ends earlier. */
  readonly limit?: number
  /** Where the page before ended: its `next`. */
  readonly after?: DeadLetterPlace | undefined
  /** The `limit` newest by the times of their records, newest first, in one page. Default: oldest first, partition by partition. */
  readonly newest?: boolean
}

/** A place in the topic of dead letters. */
export interface DeadLetterPlace {
  readonly partition: number
  readonly offset: number
}

/** Some of a connector's dead letters. */
export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  /** There may be more behind this. */
  readonly next?: DeadLetterPlace | undefined
}

const DEFAULT_PAGE_LETTERS = 1000
const PAGE_BYTES = 8 << 20
const POLL_MS = 200
/** So many are on their way at most. */
const FLUSHED_RECORDS = 1000

/** Reads a page of the connector's letters; no more than a page is held. */
export async function listDeadLetters(log: Log, box: LetterBox, query: DeadLetterQuery = {}): Promise<DeadLetterPage> {
  const { limit = DEFAULT_PAGE_LETTERS, after, newest = false } = query
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new UsageError(`a page of ${limit} dead letters: it has one at least`)
  const letters: DeadLetter[] = []
  let sizeBytes = 0
  for await (const letter of deadLetters(log, box, newest ? undefined : after)) {
    letters.push(letter)
    if (newest) {
      // In turns, since each of them looks at all.
      if (letters.length >= 2 * limit) keepNewest(letters, limit)
      continue
    }
    sizeBytes += (letter.key?.length ?? 0) + (letter.value?.length ?? 0)
    if (letters.length < limit && sizeBytes < PAGE_BYTES) continue
    return { letters, next: { partition: letter.partition, offset: letter.offset } }
  }
  if (newest) keepNewest(letters, limit)
  return { letters, next: undefined }
}

/** The connector's letters behind a place, partition by partition. */
async function* deadLetters(log: Log, box: LetterBox, after: DeadLetterPlace | undefined): AsyncGenerator<DeadLetter> {
  const topic = await findTopic(log, box.topic)
  if (topic === undefined) return
  const admin = log.admin()
  const replayed = await admin.listGroupOffsets(replayGroup(box)).finally(() => admin.close())
  for (const { index: partition } of topic.partitions) {
    if (after !== undefined && partition < after.partition) continue
    const fromOffset = partition === after?.partition ? after.offset + 1 : 0
    const next = replayed.get(partitionKey(box.topic, partition))?.offset ?? 0
    for await (const { records } of readToEnd(log, { topic: box.topic, partitions: [partition], fromOffset })) {
      for (const record of records) {
        if (errorHeader(record.headers, ConnectErrorHeader.connector) !== box.connector) continue
        yield letterOf(record, record.offset < next)
      }
    }
  }
}

function keepNewest(letters: DeadLetter[], limit: number): void {
  letters.sort((one, other) => other.atMs - one.atMs || other.partition - one.partition || other.offset - one.offset)
  letters.splice(limit)
}

/**
 * Sends the connector's letters back to where they came from, with the bytes and headers they had, each once: what was sent and how far it
 * got is one transaction.
 * @returns how many were sent.
 */
export async function replayDeadLetters(log: Log, box: LetterBox): Promise<number> {
  const topic = await findTopic(log, box.topic)
  if (topic === undefined) return 0
  const partitions = topic.partitions.map(({ index }) => ({ topic: box.topic, partition: index }))
  const consumer = log.consumer({ groupId: replayGroup(box), isolation: 'read_committed' })
  const producer = log.producer({ transactionalId: replayGroup(box) })
  const places = new Places(log)
  try {
    await producer.initTransactions()
    const ends = await consumer.endOffsets(partitions)
    consumer.assign(partitions)
    const committed = await consumer.committed(partitions)
    const left = new Set(
      partitions.flatMap(({ partition }) => {
        const next = committed.get(partitionKey(box.topic, partition))?.offset ?? 0
        return next < (ends.get(partitionKey(box.topic, partition)) ?? 0) ? [partition] : []
      })
    )
    let sent = 0
    while (left.size > 0) {
      for (const fetched of await consumer.poll(POLL_MS)) {
        const { partition, nextOffset } = fetched
        producer.beginTransaction()
        for (const record of recordsOf(fetched)) {
          if (errorHeader(record.headers, ConnectErrorHeader.connector) !== box.connector) continue
          const { key, value, timestamp, headers } = record
          const { topic, partition } = await places.of(record)
          producer.enqueue(topic, partition, key, value, timestamp, originalHeaders(headers))
          if (++sent % FLUSHED_RECORDS === 0) await producer.flush()
        }
        await producer.sendOffsetsToTransaction(
          [{ topic: box.topic, partition, offset: nextOffset }],
          consumer.groupMetadata()
        )
        await producer.commitTransaction()
        if (nextOffset >= (ends.get(partitionKey(box.topic, partition)) ?? 0)) left.delete(partition)
      }
    }
    return sent
  } finally {
    await producer.close()
    await consumer.close()
  }
}

function replayGroup({ connector, topic }: LetterBox): string {
  return `connect-${connector}-replay-${topic}`
}

/** Where letters go back to. */
class Places {
  readonly #log: Log
  /** Partitions by topic. */
  readonly #counts = new Map<string, number>()

  constructor(log: Log) {
    this.#log = log
  }

  /** The partition that the record was in; of one that had not reached the log, or whose partition is gone, that of its key. */
  async of({ headers, key }: ReadRecord): Promise<{ readonly topic: string; readonly partition: number }> {
    const { topic, partition } = originOf(headers)
    const count = this.#counts.get(topic) ?? (await this.#countOf(topic))
    if (partition >= 0 && partition < count) return { topic, partition }
    return { topic, partition: key === null ? 0 : partitionForKey(key, count) }
  }

  async #countOf(topic: string): Promise<number> {
    const admin = this.#log.admin()
    const { partitions } = await admin.ensureTopic({ name: topic }).finally(() => admin.close())
    this.#counts.set(topic, partitions.length)
    return partitions.length
  }
}

function originOf(headers: readonly Header[]): DeadLetter['origin'] {
  return {
    topic: errorHeader(headers, ConnectErrorHeader.topic) ?? '',
    partition: Number(errorHeader(headers, ConnectErrorHeader.partition) ?? -1),
    offset: Number(errorHeader(headers, ConnectErrorHeader.offset) ?? -1)
  }
}

function letterOf(record: ReadRecord, replayed: boolean): DeadLetter {
  const { partition, offset, timestamp, key, value, headers } = record
  return {
    partition,
    offset,
    atMs: timestamp,
    origin: originOf(headers),
    stage: errorHeader(headers, ConnectErrorHeader.stage) ?? '',
    message: errorHeader(headers, ConnectErrorHeader.message) ?? '',
    replayed,
    key: key === null ? null : key.toString('utf8'),
    value: value === null ? null : value.toString('utf8')
  }
}
