import { type FetchedPartition, Wakeup } from '@millrace/log'
import { PoisonousRecordError, TransientSinkError } from '../errors.ts'
import type { Sink, SinkContext, SinkOffset, SinkRecord } from '../sink.ts'
import { sleep } from '../sleep.ts'
import { backoffMs } from './backoff.ts'
import type { SupervisionSettings } from './connector.ts'
import { DeadLetterWriter } from './dead-letter-writer.ts'
import { writeDivided } from './divide-batch.ts'
import { RefusalsInARowError, TransformError } from './errors.ts'
import { isTransient, messageOf } from './failure.ts'
import type { OffsetEdit } from './offset-edits.ts'
import { SessionOffsets, type SessionOffsetsParts } from './session-offsets.ts'
import { type QueuedRecord, type SinkBatch, SinkQueue } from './sink-queue.ts'
import { chainTransforms, type TransformRecord } from './transforms/transform.ts'

/** What a session works with. */
export interface SinkSessionParts extends SessionOffsetsParts {
  readonly backoff: SupervisionSettings['backoff']
  /** Offsets that an operator wants instead of those committed. */
  readonly edit: OffsetEdit | undefined
  /** There is room for more records again. */
  readonly roomMade: () => void
}

/** As many records in a row that fail for unknown reasons, and none that succeeds: then it is not the records. */
const REFUSALS_IN_A_ROW = 20

/**
 * A sink opened for the partitions of one assignment: from `open` to `close`. Batches are written one after the other, beside the polls of the consumer.
 * A target that is away is tried again here, so that the runner stays a member of its group meanwhile.
 */
export class SinkSession {
  readonly #parts: SinkSessionParts
  readonly #queue = new SinkQueue()
  readonly #stopping = new AbortController()
  readonly #wakeup: Wakeup
  readonly #transform: ((record: TransformRecord) => readonly TransformRecord[]) | undefined
  readonly #deadLetters: DeadLetterWriter | undefined
  readonly #offsets: SessionOffsets
  #writing: Promise<void> = Promise.resolve()
  /** The next batch, prepared while one is being written. */
  #ahead: SinkBatch | undefined
  #failure: { readonly error: unknown } | undefined
  #open = false

  constructor(parts: SinkSessionParts) {
    const { life, consumer, settings } = parts
    this.#parts = parts
    this.#wakeup = new Wakeup(life.environment)
    this.#transform = chainTransforms(parts.connector.transforms ?? [])
    this.#offsets = new SessionOffsets(parts)
    if (settings.onError.kind === 'dead-letter') {
      this.#deadLetters = new DeadLetterWriter(life, consumer, settings.onError.topic)
    }
  }

  /** Opens the sink, puts the consumer where the target says, and begins to write what is added. */
  async open(): Promise<void> {
    const { life, consumer, partitions, edit } = this.#parts
    const committed = await consumer.committed(partitions)
    const next = await this.#openSink()
    await this.#offsets.begin(committed, edit, next)
    await life.step('sink:opened')
    life.meter.figures.partitions = partitions.length
    life.meter.observeLag(() => Math.max(0, ...this.lags()))
    this.#writing = this.#writeAll()
  }

  /** Whether this was read from another topic of that name than the session was opened for. */
  isOfAnotherTopic({ topic, topicId }: FetchedPartition): boolean {
    const opened = this.#parts.partitions.find((one) => one.topic === topic)?.topicId
    return opened !== undefined && topicId !== undefined && opened !== topicId
  }

  add(...fetched: Parameters<SinkQueue['add']>): void {
    this.#parts.life.meter.received(this.#queue.add(...fetched))
    this.#wakeup.signal()
  }

  /** Whether no more should be added for now. */
  get full(): boolean {
    const { batchRecords, batchBytes } = this.#parts.settings
    return this.#queue.records >= 2 * batchRecords || this.#queue.bytes >= 2 * batchBytes
  }

  /** Records not yet written, of each partition. */
  lags(): number[] {
    return this.#queue.lags(({ topic, partition }) => this.#offsets.written(topic, partition))
  }

  /** To be called when the gate has moved. */
  wake(): void {
    this.#wakeup.signal()
  }

  /** @throws what kept the session from going on. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Ends the write under way, commits, and closes the sink. What waits is not written: whoever has the partitions next reads it again. */
  async finish(how: 'given-up' | 'lost'): Promise<void> {
    const { life } = this.#parts
    this.#stopping.abort()
    this.#wakeup.signal()
    await this.#writing
    if (how === 'given-up') await this.#offsets.commit().catch((error) => this.#tell('offsets-not-committed', error))
    life.meter.figures.partitions = 0
    life.meter.figures.activeRecords = 0
    await this.#deadLetters?.close().catch((error) => this.#tell('dead-letters-not-closed', error))
    if (this.#open) await this.#closeSink()
    await life.step('sink:closed')
  }

  async #openSink(): Promise<readonly SinkOffset[]> {
    const { connector, partitions, life } = this.#parts
    const context: SinkContext = {
      signal: this.#stopping.signal,
      environment: life.environment,
      report: (event) => life.report(event)
    }
    const { sink } = connector
    // Also when it fails half-way: it may hold what only closing gives back.
    this.#open = true
    if (sink.delivery === 'transactional') return await sink.open(partitions, context)
    await sink.open(partitions, context)
    return []
  }

  async #writeAll(): Promise<void> {
    const { life, settings, roomMade } = this.#parts
    try {
      while (!this.#stopping.signal.aborted) {
        if ((this.#ahead === undefined && this.#queue.records === 0) || !life.gate.open) {
          if (this.#queue.caughtUp) life.meter.idle()
          await this.#offsets.commitIfDue()
          await this.#wakeup.wait(this.#offsets.dueInMs())
          continue
        }
        if (this.#ahead === undefined && !(await this.#linger())) continue
        const batch = this.#ahead ?? this.#queue.take(settings)
        this.#ahead = undefined
        roomMade()
        if (batch !== undefined) await this.#writeBatch(batch)
        await this.#offsets.commitIfDue()
      }
    } catch (error) {
      if (!(error instanceof SessionStoppedError)) this.#failure = { error }
    }
  }

  /** Waits until a batch is full, or has waited long enough. False when it is not to be written now. */
  async #linger(): Promise<boolean> {
    const { life, settings } = this.#parts
    const { batchRecords, batchBytes, lingerMs } = settings
    const dueMs = life.environment.clock.monotonicMs() + lingerMs
    const goesOn = () => life.gate.open && !this.#stopping.signal.aborted
    while (goesOn() && this.#queue.records < batchRecords && this.#queue.bytes < batchBytes) {
      const leftMs = dueMs - life.environment.clock.monotonicMs()
      if (leftMs <= 0) break
      await this.#wakeup.wait(leftMs)
    }
    return goesOn()
  }

  async #writeBatch(batch: SinkBatch): Promise<void> {
    const { life } = this.#parts
    const { figures } = life.meter
    figures.activeRecords = batch.entries.length + this.#queue.records
    await life.step('sink:batch-taken')
    await writeDivided(batch, {
      write: (part) => this.#write(part),
      refuse: (entry, offsets, error) => this.#refuse(entry, offsets, error),
      goesOn: () => !this.#stopping.signal.aborted
    })
    figures.batches++
    figures.activeRecords = this.#queue.records
    life.meter.measure('batchRecords', batch.entries.length)
    life.meter.progressed()
  }

  /** Writes one part, however long the target is away. @throws what is wrong with the part itself; SessionStoppedError */
  async #write(part: SinkBatch): Promise<void> {
    const { life, backoff, connector } = this.#parts
    const { clock, random } = life.environment
    const records = this.#transformed(part.entries)
    let away = false
    for (let attempt = 1; ; attempt++) {
      const beganMs = clock.monotonicMs()
      try {
        if (away && (await this.#reopened(part))) break
        away = false
        const delivered = deliver(connector.sink, records, part.offsets)
        this.#lookAhead()
        await delivered
        break
      } catch (error) {
        if (!isTransient(error)) throw error
        life.meter.erred()
        life.meter.figures.retries++
        life.failed({ kind: 'retried', error })
        await sleep(life.environment, backoffMs(attempt, backoff, random), this.#stopping.signal)
        if (this.#stopping.signal.aborted) throw new SessionStoppedError(error)
        away = connector.sink.delivery === 'transactional'
      } finally {
        life.meter.measure('writeMs', clock.monotonicMs() - beganMs)
      }
    }
    if (records.length > 0) life.meter.figures.refusalsInARow = 0
    this.#offsets.advance(part.offsets)
    life.meter.figures.sentRecords += part.entries.length
    await life.step('sink:written')
  }

  /** Takes the next batch, if there is a whole one, so that the sink can prepare it while it waits for the target. */
  #lookAhead(): void {
    const { connector, settings, roomMade } = this.#parts
    const { sink } = connector
    if (sink.delivery !== 'transactional' || sink.prepare === undefined || this.#transform !== undefined) return
    if (this.#ahead !== undefined || this.#queue.records < settings.batchRecords) return
    this.#ahead = this.#queue.take(settings)
    roomMade()
    if (this.#ahead !== undefined) sink.prepare(this.#transformed(this.#ahead.entries))
  }

  /**
   * Opens a transactional sink anew after a failure that may have come after the commit.
   * @returns whether the part was written already.
   */
  async #reopened(part: SinkBatch): Promise<boolean> {
    if (this.#open) await this.#closeSink()
    const next = await this.#openSink()
    return this.#offsets.compare(part.offsets, next) === 'written'
  }

  async #closeSink(): Promise<void> {
    this.#open = false
    await this.#parts.connector.sink.close().catch((error: unknown) => this.#tell('sink-not-closed', error))
  }

  #transformed(entries: readonly QueuedRecord[]): readonly SinkRecord[] {
    const transform = this.#transform
    if (transform === undefined) return entries.map(({ record }) => record)
    return entries.flatMap(({ record }) => {
      try {
        return transform(record).map((one) => delivered(record, one))
      } catch (cause) {
        throw new TransformError(record, cause)
      }
    })
  }

  async #refuse(entry: QueuedRecord, offsets: readonly SinkOffset[], error: unknown): Promise<void> {
    const { life, connector } = this.#parts
    const { record } = entry
    const named = error instanceof PoisonousRecordError || error instanceof TransformError
    const poison = named ? error : new PoisonousRecordError(record, messageOf(error), { cause: error })
    life.meter.erred()
    if (this.#deadLetters === undefined) {
      life.meter.figures.recordFailures++
      throw poison
    }
    if (!named && ++life.meter.figures.refusalsInARow > REFUSALS_IN_A_ROW) {
      throw new RefusalsInARowError(REFUSALS_IN_A_ROW, error)
    }
    if (!this.#offsets.isDeadLetter(record)) {
      const stage = error instanceof TransformError ? 'TRANSFORMATION' : 'TASK_PUT'
      await this.#deadLetters.write(record, { connector: life.name, stage, error: poison }, offsets)
      life.failed({ kind: 'dead-lettered', error: poison })
    }
    await life.step('sink:dead-letter-written')
    if (connector.sink.delivery === 'transactional') await connector.sink.write([], offsets)
    this.#offsets.advance(offsets)
  }

  #tell(code: string, error: unknown): void {
    this.#parts.life.report({ level: 'warning', code, message: messageOf(error) })
  }
}

/** The session is being closed while the target is away. */
class SessionStoppedError extends TransientSinkError {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause })
  }
}

function deliver(sink: Sink, records: readonly SinkRecord[], offsets: readonly SinkOffset[]): Promise<void> {
  if (sink.delivery === 'transactional') return sink.write(records, offsets)
  return records.length === 0 ? Promise.resolve() : sink.write(records)
}

/** What a transform made of a record, with the place that the record came from. */
function delivered(record: SinkRecord, { topic, key, value, timestamp, headers }: TransformRecord): SinkRecord {
  const routed = topic === record.topic ? {} : { routedTo: topic }
  return { ...record, ...routed, key, value, timestamp: timestamp ?? record.timestamp, headers }
}
