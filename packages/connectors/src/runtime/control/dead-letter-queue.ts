import { type Header, type Log, partitionForKey, partitionKey } from '@millrace/log'
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

const POLL_MS = 200
/** So many are on their way at most. */
const FLUSHED_RECORDS = 1000

/** All letters of the connector, oldest first within a partition. */
export async function listDeadLetters(log: Log, box: LetterBox): Promise<readonly DeadLetter[]> {
  const topic = await findTopic(log, box.topic)
  if (topic === undefined) return []
  const admin = log.admin()
  const replayed = await admin.listGroupOffsets(replayGroup(box)).finally(() => admin.close())
  const letters: DeadLetter[] = []
  const partitions = topic.partitions.map(({ index }) => index)
  for await (const { records } of readToEnd(log, { topic: box.topic, partitions })) {
    for (const record of records) {
      if (errorHeader(record.headers, ConnectErrorHeader.connector) !== box.connector) continue
      const next = replayed.get(partitionKey(box.topic, record.partition))?.offset ?? 0
      letters.push(letterOf(record, record.offset < next))
    }
  }
  return letters
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
