import type { LeaderPartition } from '../partition/leader-partition.ts'
import { RecordBatchBuilder } from '../wire/batch/batch-builder.ts'
import { controlRecord, endTransactionMarker } from '../wire/batch/control-batch.ts'
import { decodeBatches, type RecordBatch } from '../wire/batch/record-batch.ts'
import type { SeededRandom } from './seeded-random.ts'

const KEYS = 12
const CODECS = ['none', 'none', 'gzip', 'lz4', 'snappy', 'zstd'] as const
const TIMESTAMP_MS = 1_767_225_600_000

interface Appended {
  readonly key: string
  /** Null for a tombstone. */
  readonly value: string | null
  /** Transaction; undefined when the record is not part of one. */
  readonly transaction: number | undefined
}

/** Of an idempotent producer, which may run one transaction after the other. */
interface Producer {
  readonly producerId: number
  sequence: number
}

interface Transaction {
  readonly producer: Producer
  firstOffset: number
  outcome: 'open' | 'committed' | 'aborted'
  markerOffset: number
}

/** One record as a reader with `read_committed` sees it. */
export interface CommittedRecord {
  readonly offset: number
  readonly key: string
  readonly value: string | null
}

/** Appends random records and transactions to a partition, and knows by a plain map what readers must find. */
export class CompactionModel {
  readonly #random: SeededRandom
  readonly #records = new Map<number, Appended>()
  readonly #transactions: Transaction[] = []
  /** Producers without a transaction. */
  #idle: Producer[] = []
  #nextProducerId = 1
  #nextValue = 0
  #syncedEnd = 0

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** One random step: a batch, with or without a producer or a transaction, or the end of a transaction. */
  append(partition: LeaderPartition): void {
    const open = this.#transactions.filter((transaction) => transaction.outcome === 'open')
    const choice = this.#random.below(10)
    if (choice < 4) this.#appendBatch(partition, undefined)
    else if (open.length === 0 || (choice < 6 && open.length < 3)) this.#begin(partition)
    else if (choice < 8) this.#appendBatch(partition, this.#transactions.indexOf(this.#random.pick(open)))
    else this.#end(partition, this.#random.pick(open), this.#random.chance(0.5))
  }

  /** Ends what is open. */
  endAll(partition: LeaderPartition, commit: boolean): void {
    for (const transaction of this.#transactions) {
      if (transaction.outcome === 'open') this.#end(partition, transaction, commit)
    }
  }

  /** The power went: what was not synced may be lost from here on, single batches of it too. */
  crashed(partition: LeaderPartition): void {
    this.#syncedEnd = Math.max(this.#syncedEnd, partition.highWatermark)
  }

  /** After a crash: forgets what was lost, and ends what was open. Producers of before do not come back. */
  recovered(partition: LeaderPartition): void {
    const kept = new Set<number>()
    for (const batch of batchesFrom(partition, this.#syncedEnd)) {
      for (let offset = batch.baseOffset; offset <= batch.lastOffset; offset++) kept.add(offset)
    }
    const isLost = (offset: number) => offset >= this.#syncedEnd && !kept.has(offset)
    for (const offset of this.#records.keys()) if (isLost(offset)) this.#records.delete(offset)
    for (const [index, transaction] of this.#transactions.entries()) {
      if (transaction.markerOffset >= 0 && isLost(transaction.markerOffset)) transaction.outcome = 'open'
      if (!isLost(transaction.firstOffset)) continue
      const left = [...this.#records].filter(([, record]) => record.transaction === index).map(([offset]) => offset)
      transaction.firstOffset = Math.min(...left)
      if (left.length === 0) transaction.outcome = 'aborted'
    }
    this.#syncedEnd = partition.logEndOffset
    this.endAll(partition, false)
    this.#idle = []
  }

  /** Holds everything that a reader can see against the plain map; one sentence for each difference. */
  differences(partition: LeaderPartition): string[] {
    const problems: string[] = []
    let last = -1
    const seen = new Map<string, string>()
    for (const record of readCommitted(partition)) {
      const { offset, key, value } = record
      const appended = this.#records.get(offset)
      if (offset <= last) problems.push(`offset ${offset} follows ${last}`)
      if (appended?.key !== key || appended.value !== value) problems.push(`offset ${offset} has another record`)
      if (!this.#isCommitted(offset)) problems.push(`offset ${offset} is not committed`)
      last = offset
      apply(seen, record)
    }
    const expected = new Map<string, string>()
    for (const [offset, record] of [...this.#records].sort(([a], [b]) => a - b)) {
      if (offset < partition.lastStableOffset && this.#isCommitted(offset)) apply(expected, record)
    }
    for (const key of new Set([...seen.keys(), ...expected.keys()])) {
      if (seen.get(key) !== expected.get(key)) {
        problems.push(`${key} is ${seen.get(key)}, the plain map says ${expected.get(key)}`)
      }
    }
    return [...problems, ...this.#stableOffsetProblem(partition)]
  }

  #stableOffsetProblem({ highWatermark, logEndOffset, lastStableOffset }: LeaderPartition): string[] {
    const open = this.#transactions.filter(({ outcome }) => outcome === 'open')
    const expected = Math.min(highWatermark, ...open.map(({ firstOffset }) => firstOffset))
    if (highWatermark !== logEndOffset || lastStableOffset === expected) return []
    return [`the last stable offset is ${lastStableOffset}, not ${expected}`]
  }

  #begin(partition: LeaderPartition): void {
    this.#transactions.push({
      producer: this.#idle.pop() ?? { producerId: this.#nextProducerId++, sequence: 0 },
      firstOffset: partition.logEndOffset,
      outcome: 'open',
      markerOffset: -1
    })
    this.#appendBatch(partition, this.#transactions.length - 1)
  }

  #appendBatch(partition: LeaderPartition, transaction: number | undefined): void {
    const random = this.#random
    const records = Array.from({ length: 1 + random.below(4) }, (): Appended => {
      const value = random.chance(0.25) ? null : `v${this.#nextValue++} ${'x'.repeat(random.below(60))}`
      return { key: `key-${random.below(KEYS)}`, value, transaction }
    })
    const builder = new RecordBatchBuilder()
    for (const { key, value } of records) {
      builder.append(Buffer.from(key), value === null ? null : Buffer.from(value), TIMESTAMP_MS + random.below(1_000))
    }
    const codec = random.pick(CODECS)
    const batch = builder.build({ codec, ...this.#producerOf(transaction, records.length) })
    const { baseOffset } = partition.append(batch, 'client')
    records.forEach((record, index) => {
      this.#records.set(baseOffset + index, record)
    })
  }

  #producerOf(index: number | undefined, count: number) {
    if (index === undefined) {
      if (this.#random.chance(0.7)) return {}
      return { producerId: this.#nextProducerId++, producerEpoch: 0, baseSequence: 0 }
    }
    const { producer } = this.#transactions[index]
    const baseSequence = producer.sequence
    producer.sequence += count
    return { producerId: producer.producerId, producerEpoch: 0, baseSequence, transactional: true }
  }

  #end(partition: LeaderPartition, transaction: Transaction, commit: boolean): void {
    const { producerId } = transaction.producer
    const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 1, commit, timestampMs: TIMESTAMP_MS }
    transaction.markerOffset = partition.appendMarker(marker).baseOffset
    transaction.outcome = commit ? 'committed' : 'aborted'
    // As a coordinator does, nothing follows a marker before that is safe.
    if (this.#random.chance(0.3)) return
    const idle = this.#idle
    partition.whenCommitted(transaction.markerOffset).then(
      () => idle.push(transaction.producer),
      () => undefined
    )
  }

  #isCommitted(offset: number): boolean {
    const transaction = this.#records.get(offset)?.transaction
    return transaction === undefined || this.#transactions[transaction].outcome === 'committed'
  }
}

function apply(map: Map<string, string>, record: { readonly key: string; readonly value: string | null }): void {
  if (record.value === null) map.delete(record.key)
  else map.set(record.key, record.value)
}

/** What Kafka's consumer shows with `read_committed`: batches of producers in the list of the aborted are left out up to their marker. */
export function readCommitted(partition: Pick<LeaderPartition, 'read' | 'logStartOffset'>): CommittedRecord[] {
  const found: CommittedRecord[] = []
  let offset = partition.logStartOffset
  for (;;) {
    const read = partition.read({ offset, maxBytes: 700, isolation: 'read_committed' })
    const batches = read.chunks.flatMap((chunk) => decodeBatches(chunk))
    if (batches.length === 0) return found
    const begins = [...read.abortedTransactions]
    const aborted = new Set<number>()
    for (const batch of batches) {
      while (begins.length > 0 && begins[0].firstOffset <= batch.lastOffset)
        aborted.add(begins.shift()?.producerId ?? -1)
      if (batch.isControl) {
        if (isAbort(batch)) aborted.delete(batch.producerId)
      } else if (!(batch.isTransactional && aborted.has(batch.producerId))) {
        const from = offset
        found.push(...recordsOf(batch).filter((record) => record.offset >= from))
      }
      offset = batch.lastOffset + 1
    }
  }
}

function* batchesFrom(partition: LeaderPartition, from: number): Generator<RecordBatch> {
  for (let offset = Math.max(from, partition.logStartOffset); ; ) {
    const read = partition.read({ offset, maxBytes: 10_000, isolation: 'log_end' })
    if (read.chunks.length === 0) return
    for (const batch of read.chunks.flatMap((chunk) => decodeBatches(chunk))) {
      yield batch
      offset = batch.lastOffset + 1
    }
  }
}

function isAbort(batch: RecordBatch): boolean {
  const record = controlRecord(batch)
  return record !== undefined && endTransactionMarker(record)?.commit === false
}

function recordsOf(batch: RecordBatch): CommittedRecord[] {
  const records: CommittedRecord[] = []
  const cursor = batch.records()
  while (cursor.next()) {
    records.push({ offset: cursor.offset, key: String(cursor.key()), value: cursor.value()?.toString() ?? null })
  }
  return records
}
