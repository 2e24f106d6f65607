import { type Admin, type Clock, type GroupOffset, partitionKey } from '@millrace/log'

/** What a purge works with. */
export interface PurgeParts {
  readonly admin: Pick<Admin, 'deleteRecords'>
  readonly clock: Clock
  /** Least time between two purges. */
  readonly intervalMs: number
  /** Full names of the topics that only this application reads. */
  readonly topics: ReadonlySet<string>
}

/**
 * Takes committed records out of repartition topics, which have no retention of their own: nobody else reads them, and a restart begins behind what was
 * committed. Runs beside the commits (Kafka Streams' `repartition.purge.interval.ms`); what fails is left to the next one.
 */
export class RepartitionPurge {
  readonly #parts: PurgeParts
  /** By `topic-partition`. */
  readonly #purgedTo = new Map<string, number>()
  #lastMs: number
  #underWay: Promise<void> | undefined

  constructor(parts: PurgeParts) {
    this.#parts = parts
    this.#lastMs = parts.clock.monotonicMs()
  }

  /** To be called after a commit; asks for what was committed only when a purge is due. */
  committed(offsets: () => readonly GroupOffset[]): void {
    const { clock, intervalMs, topics } = this.#parts
    if (topics.size === 0 || this.#underWay !== undefined || clock.monotonicMs() - this.#lastMs < intervalMs) return
    this.#lastMs = clock.monotonicMs()
    const points = offsets().filter(
      ({ topic, partition, offset }) =>
        topics.has(topic) && offset > (this.#purgedTo.get(partitionKey(topic, partition)) ?? 0)
    )
    if (points.length === 0) return
    this.#underWay = this.#purge(points).finally(() => {
      this.#underWay = undefined
    })
  }

  /** Resolves when no request is under way. */
  async idle(): Promise<void> {
    await this.#underWay
  }

  async #purge(points: readonly GroupOffset[]): Promise<void> {
    const deletions = points.map(({ topic, partition, offset }) => ({ topic, partition, beforeOffset: offset }))
    try {
      await this.#parts.admin.deleteRecords(deletions)
      for (const { topic, partition, offset } of points) this.#purgedTo.set(partitionKey(topic, partition), offset)
    } catch {
      // What is left behind costs space only.
    }
  }
}
