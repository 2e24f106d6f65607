import type { Timers } from '../environment/environment.ts'
import { LogDirectoryFailedError } from '../storage/errors.ts'

/** Something whose writes are taken to the disk now and then. */
export interface SyncTarget {
  /** Syncs everything that was written before the call. A rejection means that the disk failed. */
  sync(): Promise<void>
  /** The log directory failed: nothing will be synced any more. */
  directoryFailed(error: LogDirectoryFailedError): void
}

/** How a scheduler is made. */
export interface SyncSchedulerOptions {
  readonly timers: Timers
  /** The log directory, for the error that names it. */
  readonly directory: string
  /** How many targets may sync at once; default 4. */
  readonly maxConcurrent?: number
}

type TargetState = 'waiting' | 'syncing' | 'syncing, then again'

/**
 * Group commit for one log directory. Each target has one sync in flight at most; the next one covers everything that was
 * written meanwhile. A bounded number of targets sync at once. A sync begins one turn of the event loop after the first write, so
 * that it covers all writes of that turn. After a failed sync nothing is synced any more, since what the disk holds is then
 * unknown (a second fsync may succeed without having written anything).
 */
export class SyncScheduler {
  readonly #timers: Timers
  readonly #directory: string
  readonly #maxConcurrent: number
  readonly #states = new Map<SyncTarget, TargetState>()
  readonly #targets = new Set<SyncTarget>()
  #queue: SyncTarget[] = []
  #running = 0
  #pumpIsSet = false
  #failure: LogDirectoryFailedError | undefined

  constructor(options: SyncSchedulerOptions) {
    this.#timers = options.timers
    this.#directory = options.directory
    this.#maxConcurrent = options.maxConcurrent ?? 4
  }

  /** Why the log directory was given up; undefined while it is well. */
  get failure(): LogDirectoryFailedError | undefined {
    return this.#failure
  }

  /** Has the target told of a failure from now on. Returns the function that ends it. */
  register(target: SyncTarget): () => void {
    this.#targets.add(target)
    return () => this.#targets.delete(target)
  }

  /** The target was written to. */
  schedule(target: SyncTarget): void {
    if (this.#failure !== undefined) return
    const state = this.#states.get(target)
    if (state === 'syncing') this.#states.set(target, 'syncing, then again')
    if (state !== undefined) return
    this.#enqueue(target)
  }

  /** Gives the log directory up. */
  fail(cause: unknown): LogDirectoryFailedError {
    if (this.#failure !== undefined) return this.#failure
    const failure =
      cause instanceof LogDirectoryFailedError ? cause : new LogDirectoryFailedError(this.#directory, cause)
    this.#failure = failure
    this.#queue = []
    for (const target of [...this.#targets]) target.directoryFailed(failure)
    return failure
  }

  #enqueue(target: SyncTarget): void {
    this.#states.set(target, 'waiting')
    this.#queue.push(target)
    this.#setPump()
  }

  #setPump(): void {
    if (this.#pumpIsSet || this.#running >= this.#maxConcurrent) return
    this.#pumpIsSet = true
    this.#timers.soon(() => {
      this.#pumpIsSet = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#running < this.#maxConcurrent) {
      const target = this.#queue.shift()
      if (target === undefined) return
      this.#running += 1
      this.#states.set(target, 'syncing')
      target.sync().then(
        () => this.#done(target),
        (error) => this.#broke(target, error)
      )
    }
  }

  #done(target: SyncTarget): void {
    this.#running -= 1
    const again = this.#states.get(target) === 'syncing, then again'
    this.#states.delete(target)
    if (again && this.#failure === undefined) this.#enqueue(target)
    else if (this.#queue.length > 0) this.#setPump()
  }

  #broke(target: SyncTarget, error: unknown): void {
    this.#running -= 1
    this.#states.delete(target)
    this.fail(error)
  }
}
