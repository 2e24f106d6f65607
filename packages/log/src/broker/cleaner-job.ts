import type { Clock, Timers } from '../environment/environment.ts'
import type { Partition } from '../partition/partition.ts'
import type { CompactionBacklog } from '../storage/cleaner/compaction-backlog.ts'
import { UncleanableError } from '../storage/cleaner/errors.ts'
import type { CleanReport } from '../storage/cleaner/log-cleaner.ts'
import { Pace } from '../storage/cleaner/pace.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { OnBrokerEvent } from './event.ts'

/** What the cleaner job needs. */
export interface CleanerJobOptions {
  readonly timers: Timers
  readonly clock: Clock
  readonly config: BrokerConfig
  readonly partitions: () => Iterable<Partition>
  readonly report: OnBrokerEvent
}

/** How compaction of one partition stands. */
export interface PartitionCompaction extends CompactionBacklog {
  readonly topic: string
  readonly partition: number
  /** All records below are compacted. */
  readonly cleanedTo: number
  /** Undefined before the first run since the start. */
  readonly lastRun: CleanReport | undefined
  /** Why it is not compacted any more; undefined while it is. */
  readonly uncleanable: UncleanableError | undefined
}

/** Compacts the partitions whose topics ask for it, the one with the greatest share of new data first, one at a time. */
export class CleanerJob {
  readonly #options: CleanerJobOptions
  readonly #pace: Pace
  #stopped = false

  constructor(options: CleanerJobOptions) {
    const { timers, clock, config } = options
    this.#options = options
    this.#pace = new Pace({ timers, clock, maxBytesPerSecond: config.cleanerMaxBytesPerSecond })
  }

  /** Every partition of a compacted topic, by what waits. */
  status(): PartitionCompaction[] {
    return this.#compacted()
      .map((partition) => statusOf(partition))
      .sort((a, b) => b.dirtyRatio - a.dirtyRatio)
  }

  /**
   * Compacts until nothing is due. A partition that fails is reported and left until the next time; one that cannot be read, for good.
   */
  async run(): Promise<void> {
    const tried = new Set<Partition>()
    while (!this.#stopped) {
      const partition = this.#dirtiest(tried)
      if (partition === undefined) return
      tried.add(partition)
      await this.#clean(partition)
    }
  }

  /** Begins nothing more. What runs ends when its partition closes. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#compacted().map((partition) => partition.cleaner.stop()))
  }

  #compacted(): Partition[] {
    return [...this.#options.partitions()].filter((partition) => partition.config.compacts)
  }

  #dirtiest(tried: ReadonlySet<Partition>): Partition | undefined {
    let dirtiest: Partition | undefined
    let greatest = -1
    for (const partition of this.#options.partitions()) {
      if (!partition.config.compacts || tried.has(partition) || partition.cleaner.uncleanable !== undefined) continue
      const { due, dirtyRatio } = partition.cleaner.backlog()
      if (due === undefined || dirtyRatio <= greatest) continue
      greatest = dirtyRatio
      dirtiest = partition
    }
    return dirtiest
  }

  async #clean(partition: Partition): Promise<void> {
    const { config, report } = this.#options
    try {
      const options = { pace: this.#pace, keyMapBytes: config.cleanerKeyMapBytes }
      report({ kind: 'compacted', run: await partition.cleaner.clean(options) })
    } catch (error) {
      if (error instanceof UncleanableError) report({ kind: 'uncleanable', error })
      else report({ kind: 'job-failed', job: `compaction of ${partition.topic}-${partition.index}`, error })
    }
  }
}

function statusOf(partition: Partition): PartitionCompaction {
  const { cleaner, topic, index } = partition
  const { cleanedTo, lastRun, uncleanable } = cleaner
  return { topic, partition: index, ...cleaner.backlog(), cleanedTo, lastRun, uncleanable }
}
