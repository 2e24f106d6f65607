import { CommitRefusedError, type Consumer, partitionKey } from '@millrace/log'
import { TransientSinkError } from '../errors.ts'
import type { OpenedPartition, SinkOffset, SinkPartition, SinkRecord } from '../sink.ts'
import type { SinkConnector, SinkSettings } from './connector.ts'
import { deadLetterOf } from './dead-letter-writer.ts'
import { OffsetsNotEditableError } from './errors.ts'
import type { Life } from './life.ts'
import type { OffsetEdit } from './offset-edits.ts'

/** Whose offsets they are. */
export interface SessionOffsetsParts {
  readonly life: Life
  readonly connector: SinkConnector
  readonly settings: SinkSettings
  readonly consumer: Consumer
  readonly partitions: readonly OpenedPartition[]
}

/** The offsets of a session: where it began, what is written, what the group has been told. */
export class SessionOffsets {
  readonly #parts: SessionOffsetsParts
  readonly #written = new Map<string, SinkOffset>()
  /** Offset of the last dead letter of each partition, whose record the target may not have been moved over. */
  readonly #dead = new Map<string, number>()
  #uncommitted = new Map<string, SinkOffset>()
  #committedMs: number

  constructor(parts: SessionOffsetsParts) {
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
    const own = next.filter((offset) => !this.#isOfAnotherTopic(offset))
    const begin = new Map(own.map((offset) => [partitionKey(offset.topic, offset.partition), offset]))
    const wanted = (edit?.offsets ?? []).filter(({ topic, partition }) =>
      partitions.some((one) => isSame(one, { topic, partition }))
    )
    if (wanted.length > 0 && connector.sink.delivery === 'transactional') {
      if (connector.sink.moveOffsets === undefined) throw new OffsetsNotEditableError(life.name)
      await connector.sink.moveOffsets(wanted)
      for (const offset of wanted) begin.set(partitionKey(offset.topic, offset.partition), offset)
      await edit?.done(wanted)
    }
    await this.#beginAnew(
      next.filter((offset) => !own.includes(offset) && !wanted.some((edit) => isSame(edit, offset)))
    )
    await this.#warnOfOtherLog([...begin.values()])
    for (const [key, offset] of begin) {
      this.#written.set(key, offset)
      consumer.seek(offset, offset.offset)
    }
  }

  /** Whether this is of a topic that was deleted: the one of its name has an id of its own. */
  #isOfAnotherTopic({ topicId, ...place }: SinkOffset): boolean {
    const opened = this.#parts.partitions.find((one) => isSame(one, place))
    return topicId !== undefined && opened?.topicId !== undefined && opened.topicId !== topicId
  }

  /** What the target, and the group's dead letters, say of topics that are gone counts for nothing. */
  async #beginAnew(gone: readonly SinkOffset[]): Promise<void> {
    if (gone.length === 0) return
    const { consumer, life, settings } = this.#parts
    const reset = await (settings.offsetReset === 'earliest'
      ? consumer.beginningOffsets(gone)
      : consumer.endOffsets(gone))
    for (const { topic, partition, offset } of gone) {
      const key = partitionKey(topic, partition)
      this.#dead.delete(key)
      consumer.seek({ topic, partition }, reset.get(key) ?? 0)
      life.report({
        level: 'warning',
        code: 'target-of-another-topic',
        message: `the target has ${topic}-${partition} up to offset ${offset} of another topic ${topic}, which was deleted, or is on another log; of this one reading begins at its ${settings.offsetReset} record`
      })
    }
  }

  /** The target was written from a log that is gone, or has lost its end: it is read as `offsetReset` says, and somebody should know. */
  async #warnOfOtherLog(begin: readonly SinkOffset[]): Promise<void> {
    const { consumer, life, settings } = this.#parts
    if (begin.length === 0) return
    const ends = await consumer.endOffsets(begin)
    for (const { topic, partition, offset } of begin) {
      const end = ends.get(partitionKey(topic, partition)) ?? offset
      if (offset <= end) continue
      life.report({
        level: 'warning',
        code: 'target-ahead-of-log',
        message: `the target has ${topic}-${partition} up to offset ${offset}, and the log ends at ${end}: it is another log, or has lost its end; reading begins at its ${settings.offsetReset} record`
      })
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
    const own = next.filter((offset) => !this.#isOfAnotherTopic(offset))
    const target = new Map(own.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]))
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

function isSame(one: SinkPartition, other: SinkPartition): boolean {
  return one.topic === other.topic && one.partition === other.partition
}
