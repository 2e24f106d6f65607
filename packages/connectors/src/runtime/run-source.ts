import { NO_HEADERS, type Producer, ProducerFencedError } from '@millrace/log'
import type { Positions, SourceReader, SourceRecord } from '../source.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { type SourceConnector, type SourceSettings, sourceSettings } from './connector.ts'
import { deadLetterHeaders } from './dead-letters.ts'
import { TransformError } from './errors.ts'
import type { Life, LifeEnd } from './life.ts'
import { OFFSETS_TOPIC, transactionalId } from './names.ts'
import { loadPositions, positionKey, positionsOf, positionValue } from './positions.ts'
import { ReadAhead, type ReadBatch } from './read-ahead.ts'
import { SourceStateStore } from './state-store.ts'
import { TargetTopics } from './target-topics.ts'
import { chainTransforms, type TransformRecord } from './transforms/transform.ts'

/**
 * One life of a source, exactly once:
 *
 * 1. Become the producer `connect-<name>`: a predecessor that still lives is fenced, and its open transaction is settled.
 * 2. Read the committed positions back, and the state.
 * 3. Open the source at them.
 * 4. Again and again: write batches, their positions and their changes of the state in one transaction, and commit it. The next batches are
 *    read meanwhile.
 * 5. After each commit, tell the source what the log holds for good.
 *
 * Whatever fails, the life ends; the next one begins at 1, so an unknown outcome of a commit is settled before positions are read.
 */
export async function runSource(connector: SourceConnector, life: Life): Promise<LifeEnd> {
  const settings = sourceSettings(connector)
  const producer = life.log.producer({
    transactionalId: transactionalId(life.name),
    transactionTimeoutMs: settings.transactionTimeoutMs
  })
  try {
    // 1.
    await producer.initTransactions()
    await life.step('source:fenced-predecessor')
    // 2.
    const { partition, positions } = await loadPositions(life.log, life.name)
    await life.step('source:positions-read')
    const store = await SourceStateStore.open(life, connector.engine)
    try {
      await life.step('source:state-restored')
      const run = new SourceRun({ connector, settings, life, producer, store, offsetsPartition: partition })
      return await run.run(positionsOf(positions))
    } finally {
      await store.close()
    }
  } catch (error) {
    throw await fencedOr(error, producer)
  } finally {
    await producer.close()
  }
}

/**
 * Aborts what is open. An heir's first sign is a refused write, which looks as if the transaction might be tried again; the abort is refused
 * for what it is. Without asking, this one would fence its heir in turn.
 */
async function fencedOr(error: unknown, producer: Producer): Promise<unknown> {
  if (error instanceof ProducerFencedError) return error
  try {
    await producer.abortTransaction()
    return error
  } catch (refused) {
    return refused instanceof ProducerFencedError ? refused : error
  }
}

interface SourceRunParts {
  readonly connector: SourceConnector
  readonly settings: SourceSettings
  readonly life: Life
  readonly producer: Producer
  readonly store: SourceStateStore
  readonly offsetsPartition: number
}

/** A record on its way, with a partition if the source chose one. */
type OutgoingRecord = TransformRecord & { readonly partition?: number | 'all' | undefined }

type TransformChain = (record: TransformRecord) => readonly TransformRecord[]

/** What one transaction holds. */
interface Written {
  records: number
  sizeBytes: number
  readonly positions: Map<string, unknown>
  readonly state: Map<string, Buffer | null>
  stage: number
}

class SourceRun {
  readonly #parts: SourceRunParts
  readonly #topics: TargetTopics
  readonly #transform: TransformChain | undefined
  #lastCommitMs = Number.NEGATIVE_INFINITY

  constructor(parts: SourceRunParts) {
    this.#parts = parts
    this.#topics = new TargetTopics(parts.life, parts.connector.topics)
    this.#transform = chainTransforms(parts.connector.transforms ?? [])
  }

  async run(positions: Positions<unknown>): Promise<LifeEnd> {
    const { connector, life, store, settings } = this.#parts
    const stopping = new AbortController()
    const stop = () => stopping.abort()
    if (life.signal.aborted) return 'stopped'
    life.signal.addEventListener('abort', stop)
    const context = {
      signal: stopping.signal,
      environment: life.environment,
      state: store.state,
      report: life.report
    }
    try {
      // 3.
      const reader = await connector.source.open(positions, context)
      const ahead = new ReadAhead<unknown>({
        life,
        reader,
        signal: stopping.signal,
        maxRecords: settings.transactionRecords,
        maxBytes: settings.transactionBytes,
        takeStage: () => store.state.take()
      })
      life.meter.observeLag(() => reader.lag?.())
      const acknowledgements = new Acknowledgements(reader, life, () => ahead.wake())
      try {
        await life.step('source:opened')
        life.running()
        const end = await this.#transactions(ahead, acknowledgements)
        await acknowledgements.settled()
        return end
      } finally {
        stopping.abort()
        await this.#close({ reader, ahead, acknowledgements })
      }
    } finally {
      stopping.abort()
      life.signal.removeEventListener('abort', stop)
    }
  }

  async #close(open: {
    readonly reader: SourceReader<unknown>
    readonly ahead: ReadAhead<unknown>
    readonly acknowledgements: Acknowledgements
  }): Promise<void> {
    await open.ahead.finish()
    // What it had to say was said by `#transactions`, or follows from what that has thrown.
    await open.acknowledgements.settled().catch(() => undefined)
    await open.reader.close()
  }

  /** 4. and 5., until the source ends or is stopped. */
  async #transactions(ahead: ReadAhead<unknown>, acknowledgements: Acknowledgements): Promise<LifeEnd> {
    const { life } = this.#parts
    for (;;) {
      acknowledgements.throwFailure()
      // Also while paused: reading has ended, and what was read is brought to its end.
      const first = ahead.take()
      if (first !== undefined) {
        await this.#transaction(first, ahead, acknowledgements)
        continue
      }
      if (life.signal.aborted) return 'stopped'
      if (ahead.ended) return 'ended'
      life.meter.idle()
      await ahead.wait()
    }
  }

  async #transaction(
    first: ReadBatch<unknown>,
    ahead: ReadAhead<unknown>,
    acknowledgements: Acknowledgements
  ): Promise<void> {
    const { life, producer, store, settings } = this.#parts
    const { clock } = life.environment
    const written: Written = { records: 0, sizeBytes: 0, positions: new Map(), state: new Map(), stage: 0 }
    producer.beginTransaction()
    await life.step('source:transaction-begun')
    const deadlineMs = this.#lastCommitMs + settings.commitIntervalMs
    for (let batch: ReadBatch<unknown> | undefined = first; batch !== undefined; ) {
      await this.#write(batch, written)
      batch = this.#isFull(written) ? undefined : await this.#more(ahead, deadlineMs)
    }
    life.meter.figures.activeRecords = written.records + ahead.records
    await life.step('source:records-written')
    if (written.state.size > 0) await store.prepare()
    this.#writePositions(written)
    await life.step('source:positions-written')
    const beganMs = clock.monotonicMs()
    await producer.commitTransaction()
    this.#lastCommitMs = clock.monotonicMs()
    life.meter.measure('commitMs', this.#lastCommitMs - beganMs)
    life.meter.measure('transactionRecords', written.records)
    life.meter.figures.transactions++
    life.meter.figures.sentRecords += written.records
    life.meter.figures.activeRecords = ahead.records
    life.meter.progressed()
    await life.step('source:committed')
    await store.apply(producer, written.state, written.stage)
    await life.step('source:state-applied')
    acknowledgements.add(written.positions)
  }

  /** The next batch for the same transaction: what is there, and what comes before the commit is due. */
  async #more(ahead: ReadAhead<unknown>, deadlineMs: number): Promise<ReadBatch<unknown> | undefined> {
    const { life } = this.#parts
    for (;;) {
      const batch = ahead.take()
      if (batch !== undefined) return batch
      const leftMs = deadlineMs - life.environment.clock.monotonicMs()
      if (leftMs <= 0 || life.signal.aborted || ahead.ended || !life.gate.open) return undefined
      await ahead.wait(leftMs)
    }
  }

  #isFull(written: Written): boolean {
    const { settings } = this.#parts
    return written.records >= settings.transactionRecords || written.sizeBytes >= settings.transactionBytes
  }

  async #write(batch: ReadBatch<unknown>, written: Written): Promise<void> {
    const { producer, settings } = this.#parts
    for (const record of batch.records) {
      if (this.#transform === undefined) {
        if (!this.#topics.knows(record)) await this.#topics.ensure(record)
        this.#enqueue(record)
      } else {
        for (const one of this.#transformed(record, this.#transform)) {
          // A record that a transform has sent elsewhere goes to the partition of its key there.
          const partition = one.topic === record.topic ? record.partition : undefined
          const placed = { ...one, partition }
          if (!this.#topics.knows(placed)) await this.#topics.ensure(placed)
          this.#enqueue(placed)
        }
      }
      if (producer.bufferedBytes > settings.transactionBytes) await producer.flush()
    }
    written.records += batch.records.length
    written.sizeBytes += batch.sizeBytes
    for (const [split, position] of batch.positions) written.positions.set(split, position)
    for (const [key, value] of batch.stage.changes) written.state.set(key, value)
    written.stage = batch.stage.number
  }

  /** The record as the transforms give it; a dead letter in its place when they cannot. */
  #transformed(record: SourceRecord, transform: TransformChain): readonly OutgoingRecord[] {
    const raw: OutgoingRecord = { ...record, timestamp: record.timestamp, headers: record.headers ?? NO_HEADERS }
    const { life } = this.#parts
    try {
      const outcome = transform(raw)
      if (outcome.length === 0) life.meter.figures.skippedRecords++
      return outcome
    } catch (cause) {
      return [this.#deadLetter(raw, cause)]
    }
  }

  #deadLetter(record: OutgoingRecord, cause: unknown): OutgoingRecord {
    const { settings, life } = this.#parts
    const { topic, key, value } = record
    const partition = typeof record.partition === 'number' ? record.partition : -1
    const error = new TransformError({ topic, partition, offset: -1 }, cause)
    life.meter.erred()
    if (settings.onError.kind === 'fail') {
      life.meter.figures.recordFailures++
      throw error
    }
    life.meter.figures.deadLetters++
    life.failed({ kind: 'dead-lettered', error })
    const timestamp = record.timestamp ?? life.environment.clock.nowMs()
    const failed = { topic, partition, offset: -1, key, value, timestamp, headers: record.headers }
    const headers = deadLetterHeaders(failed, { connector: life.name, stage: 'TRANSFORMATION', error })
    return { topic: settings.onError.topic, key, value, timestamp, headers }
  }

  #enqueue(record: OutgoingRecord | SourceRecord): void {
    const { producer, life } = this.#parts
    const { topic, key, value, headers, partition: chosen } = record
    const atMs = record.timestamp ?? life.environment.clock.nowMs()
    if (chosen === 'all') {
      for (let partition = 0; partition < this.#topics.countOf(topic); partition++) {
        producer.enqueue(topic, partition, key, value, atMs, headers)
      }
    } else producer.enqueue(topic, this.#topics.partitionOf(topic, key, chosen), key, value, atMs, headers)
  }

  #writePositions(written: Written): void {
    const { producer, life, offsetsPartition, store } = this.#parts
    const nowMs = life.environment.clock.nowMs()
    for (const [split, position] of written.positions) {
      const key = positionKey(life.name, split)
      producer.enqueue(
        OFFSETS_TOPIC,
        offsetsPartition,
        key,
        positionValue({ connector: life.name, split, position }),
        nowMs
      )
    }
    store.write(producer, written.state, nowMs)
  }
}
