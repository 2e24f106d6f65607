import { CommitRefusedError, type Consumer, partitionKey } from '@millrace/log'
import { PoisonousRecordError, TransientSinkError } from '../errors.ts'
import type { Sink, SinkContext, SinkOffset, SinkPartition, SinkRecord } from '../sink.ts'
import { sleep } from '../sleep.ts'
import { backoffMs } from './backoff.ts'
import type { SinkConnector, SinkSettings, SupervisionSettings } from './connector.ts'
import { DeadLetterWriter, deadLetterOf } from './dead-letter-writer.ts'
import { writeDivided } from './divide-batch.ts'
import { OffsetsNotEditableError, TransformError } from './errors.ts'
import { isTransient, messageOf } from './failure.ts'
import type { Life } from './life.ts'
import type { OffsetEdit } from './offset-edits.ts'
import { type QueuedRecord, type SinkBatch, SinkQueue } from './sink-queue.ts'
import { chainTransforms, type TransformRecord } from './transforms/transform.ts'
import { Wakeup } from './wakeup.ts'

/** What a session works with. */
export interface SinkSessionParts {
  readonly life: Life
  readonly connector: SinkConnector
  readonly settings: SinkSettings
  readonly backoff: SupervisionSettings['backoff']
  readonly consumer: Consumer
  readonly partitions: readonly SinkPartition[]
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
  #refusals = 0
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
        if (settings.lingerMs > 0 && this.#ahead === undefined && this.#queue.records < settings.batchRecords) {
          await sleep(life.environment, settings.lingerMs, this.#stopping.signal)
        }
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
    this.#refusals = 0
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
    if (!named && ++this.#refusals > REFUSALS_IN_A_ROW) throw error
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

/** The offsets of a session: where it began, what is written, what the group has been told. */
class SessionOffsets {
  readonly #parts: SinkSessionParts
  readonly #written = new Map<string, SinkOffset>()
  /** Offset of the last dead letter of each partition, whose record the target may not have been moved over. */
  readonly #dead = new Map<string, number>()
  #uncommitted = new Map<string, SinkOffset>()
  #committedMs: number

  constructor(parts: SinkSessionParts) {
    this.#parts = parts
    this.#committedMs = parts.life.environment.clock.monotonicMs()
  }

  /** Puts the consumer at the target's offsets, or where an operator wants it. */
  async begin(
    committed: ReadonlyMap<string, { readonly metadata: string }>,
    edit: OffsetEdit | undefined,
    next: readonly SinkOffset[]
  ): Promise<void> {
    const { consumer, connector, partitions, life } = this.#parts
    for (const [key, { metadata }] of committed) {
      const dead = deadLetterOf(metadata)
      if (dead !== undefined) this.#dead.set(key, dead)
    }
    const begin = new Map(next.map((offset) => [partitionKey(offset.topic, offset.partition), offset]))
    const wanted = (edit?.offsets ?? []).filter(({ topic, partition }) =>
      partitions.some((one) => one.topic === topic && one.partition === partition)
    )
    if (wanted.length > 0 && connector.sink.delivery === 'transactional') {
      if (connector.sink.moveOffsets === undefined) throw new OffsetsNotEditableError(life.name)
      await connector.sink.moveOffsets(wanted)
      for (const offset of wanted) begin.set(partitionKey(offset.topic, offset.partition), offset)
      await edit?.done(wanted)
    }
    for (const [key, offset] of begin) {
      this.#written.set(key, offset)
      consumer.seek(offset, offset.offset)
    }
  }

  written(topic: string, partition: number): number | undefined {
    return this.#written.get(partitionKey(topic, partition))?.offset
  }

  advance(offsets: readonly SinkOffset[]): void {
    for (const offset of offsets) {
      const key = partitionKey(offset.topic, offset.partition)
      this.#written.set(key, offset)
      this.#uncommitted.set(key, offset)
    }
  }

  isDeadLetter({ topic, partition, offset }: SinkRecord): boolean {
    return this.#dead.get(partitionKey(topic, partition)) === offset
  }

  /**
   * Whether the target has the offsets behind a part, or still those before it.
   * @throws TransientSinkError when it has neither: begin anew, from where it is.
   */
  compare(behind: readonly SinkOffset[], next: readonly SinkOffset[]): 'written' | 'not written' {
    const target = new Map(next.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]))
    const at = (one: SinkOffset) => target.get(partitionKey(one.topic, one.partition))
    if (behind.every((one) => at(one) === one.offset)) return 'written'
    if (behind.every((one) => at(one) === this.written(one.topic, one.partition))) return 'not written'
    throw new TransientSinkError('the target has other offsets than it had: reading begins anew at those')
  }

  /** Milliseconds until the next commit is due; undefined when there is nothing to commit. */
  dueInMs(): number | undefined {
    if (this.#uncommitted.size === 0) return undefined
    const { settings, life } = this.#parts
    return Math.max(1, this.#committedMs + settings.commitIntervalMs - life.environment.clock.monotonicMs())
  }

  async commitIfDue(): Promise<void> {
    const { settings, life } = this.#parts
    if (life.environment.clock.monotonicMs() - this.#committedMs >= settings.commitIntervalMs) await this.commit()
  }

  /** Tells the group what is written: for an idempotent sink where the next one goes on, for a transactional one what others see of its lag. */
  async commit(): Promise<void> {
    const { consumer, life } = this.#parts
    const { clock } = life.environment
    this.#committedMs = clock.monotonicMs()
    if (this.#uncommitted.size === 0) return
    const offsets = this.#uncommitted
    this.#uncommitted = new Map()
    try {
      await consumer.commit([...offsets.values()])
      life.meter.measure('commitMs', clock.monotonicMs() - this.#committedMs)
    } catch (error) {
      this.#uncommitted = new Map([...offsets, ...this.#uncommitted])
      // The group is on its way to another generation: the next poll says what becomes of the partitions.
      if (!(error instanceof CommitRefusedError)) throw error
      return
    }
    await life.step('sink:offsets-committed')
  }
}
