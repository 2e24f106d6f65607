import { type LogDirectoryFailedError, PartitionClosedError } from '../storage/errors.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import { HighWatermark, lastStableOffset } from './high-watermark.ts'
import type { SyncScheduler, SyncTarget } from './sync-scheduler.ts'

/** When a record is acknowledged: after an fdatasync that covers it, or once the operating system has it (as Kafka does). */
export type FsyncMode = 'always' | 'os'

/** What commit progress is made of. */
export interface CommitOptions {
  readonly log: PartitionLog
  readonly fsync: FsyncMode
  readonly scheduler: SyncScheduler
}

interface CheckpointWaiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * How far one partition's log is committed: the high watermark, which follows the synced end of the log (or its end, without
 * fsync), and the last stable offset under it. Tells those who wait for an offset and those who want to know of every move.
 */
export class CommitProgress implements SyncTarget {
  readonly #log: PartitionLog
  readonly #fsync: FsyncMode
  readonly #scheduler: SyncScheduler
  readonly #highWatermark: HighWatermark
  readonly #listeners = new Set<() => void>()
  readonly #unregister: () => void
  #checkpointWaiters: CheckpointWaiter[] = []
  #syncing: Promise<void> | undefined
  #closed = false

  /** All of the log is committed: what recovery kept, it synced. */
  constructor(options: CommitOptions) {
    this.#log = options.log
    this.#fsync = options.fsync
    this.#scheduler = options.scheduler
    this.#highWatermark = new HighWatermark(options.log.endOffset)
    options.log.producers.transactions.decideBelow(options.log.endOffset)
    this.#unregister = options.scheduler.register(this)
  }

  get highWatermark(): number {
    return this.#highWatermark.value
  }

  get lastStableOffset(): number {
    return lastStableOffset(this.#highWatermark.value, this.#log.producers.transactions.firstUnstableOffset())
  }

  /** Why nothing can be appended any more; undefined while all is well. */
  get refusal(): LogDirectoryFailedError | PartitionClosedError | undefined {
    const { topic, partition } = this.#log.place
    return this.#closed ? new PartitionClosedError(topic, partition) : this.#scheduler.failure
  }

  /** A batch was appended. */
  appended(): void {
    if (this.#fsync === 'os') this.#raise(this.#log.endOffset)
    if (this.#fsync === 'always' || this.#log.sync.wantsFinish || this.#log.sync.wantsCheckpoint) {
      this.#scheduler.schedule(this)
    }
  }

  whenCommitted(offset: number): Promise<void> {
    return this.#highWatermark.whenAbove(offset)
  }

  onAdvance(advanced: () => void): () => void {
    this.#listeners.add(advanced)
    return () => this.#listeners.delete(advanced)
  }

  /** Resolves when the partition's summary on disk says what the log says now. */
  checkpoint(): Promise<void> {
    const { refusal } = this
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#checkpointWaiters.push({ resolve, reject })
      this.#scheduler.schedule(this)
    })
  }

  /** Called by the scheduler, one at a time. */
  async sync(): Promise<void> {
    if (this.#closed) return
    this.#syncing = this.#syncOnce()
    await this.#syncing
  }

  directoryFailed(error: LogDirectoryFailedError): void {
    this.#fail(error)
  }

  /** Commits what was appended and leaves the log so that it opens fast. After a failure of the directory it only lets go. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#syncing?.catch(() => undefined)
    try {
      if (this.#scheduler.failure === undefined) {
        await this.#log.sync.finish()
        this.#raise(this.#log.endOffset)
      }
    } catch (error) {
      throw this.#scheduler.fail(error)
    } finally {
      this.#unregister()
      this.#fail(new PartitionClosedError(this.#log.place.topic, this.#log.place.partition))
    }
  }

  async #syncOnce(): Promise<void> {
    const { sync } = this.#log
    this.#raise(await sync.syncData())
    const waiters = this.#checkpointWaiters
    if (waiters.length === 0 && !sync.wantsCheckpoint) return
    this.#checkpointWaiters = []
    await sync.checkpoint().catch((error) => {
      this.#checkpointWaiters.push(...waiters)
      throw error
    })
    for (const waiter of waiters) waiter.resolve()
  }

  #raise(offset: number): void {
    if (!this.#highWatermark.advance(offset)) return
    this.#log.producers.transactions.decideBelow(offset)
    for (const advanced of [...this.#listeners]) advanced()
  }

  #fail(error: Error): void {
    this.#highWatermark.fail(error)
    for (const waiter of this.#checkpointWaiters.splice(0)) waiter.reject(error)
  }
}
