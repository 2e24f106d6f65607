import { Worker } from 'node:worker_threads'
import { TransientSinkError } from '../errors.ts'
import type { Job, JobsAnswer } from './jobs.ts'

const ENTRY = import.meta.url.endsWith('.ts') ? './thread-entry.ts' : './thread-entry.js'

/** A thread whose database was closed: the next one need not wait for a thread to start. */
let idle: DatabaseThread | undefined

/**
 * A thread of its own for a database: what SQLite waits for, the disk and other writers, holds nothing else up. It keeps the process alive only while it
 * has something to do.
 */
export class DatabaseThread {
  readonly #worker = new Worker(new URL(ENTRY, import.meta.url))
  #answer: PromiseWithResolvers<JobsAnswer> | undefined
  #failure: { readonly cause: unknown } | undefined

  private constructor() {
    this.#worker.on('message', (answer: JobsAnswer) => this.#answer?.resolve(answer))
    this.#worker.on('error', (cause) => {
      this.#failure = { cause }
    })
    this.#worker.on('exit', () => {
      this.#failure ??= { cause: undefined }
      this.#answer?.reject(endedError(this.#failure))
    })
    this.#worker.unref()
  }

  /** A thread without a database: an idle one, or a new one. */
  static take(): DatabaseThread {
    const thread = idle ?? new DatabaseThread()
    idle = undefined
    return thread
  }

  /** Does the jobs, in order, up to the first that fails. One call at a time. @throws TransientSinkError when the thread has ended. */
  async run(jobs: readonly Job[]): Promise<JobsAnswer> {
    if (this.#failure !== undefined) throw endedError(this.#failure)
    const answer = Promise.withResolvers<JobsAnswer>()
    this.#answer = answer
    this.#worker.ref()
    this.#worker.postMessage(jobs)
    try {
      return await answer.promise
    } finally {
      this.#answer = undefined
      this.#worker.unref()
    }
  }

  /** Closes the database, if there is one, and lets the thread go. */
  async close(): Promise<void> {
    // A thread that has ended has closed what it had.
    const answer = await this.run([{ kind: 'close' }]).catch(() => undefined)
    if (answer?.kind === 'done' && idle === undefined) idle = this
    else await this.#worker.terminate()
  }
}

function endedError(options: { readonly cause: unknown }): TransientSinkError {
  return new TransientSinkError('the thread of the database has ended', options)
}
