import { InvariantError, NO_HEADERS, UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../graph/duration.ts'
import type {
  AnyProcessorStore,
  Cancellable,
  ProcessContext,
  ProcessorGlobalStore,
  PunctuationClock
} from '../graph/process-context.ts'
import type { ProcessNode } from '../graph/process-node.ts'
import type { Header, RecordOrigin } from '../graph/record.ts'
import { StoreDamagedError } from '../state/errors.ts'
import { ProcessingError, punctuationOrigin } from './errors.ts'
import { keyValueView, readOnlyView, sessionView, versionedView, windowView } from './processor-store.ts'
import type { ProcessorContext } from './task-context.ts'
import { VersionedRows } from './versioned-rows.ts'

/** A node with code of the program's own. */
export type ProgramNode = Pick<ProcessNode, 'name' | 'stores' | 'readOnly' | 'globals'>

/** What of the present is known to a program's code: the record it has, or the time of the punctuation. */
export interface Present {
  readonly timestamp: number
  readonly headers: readonly Header[]
  readonly origin: RecordOrigin
}

/**
 * Where a program's own code runs in a task: what it sees of its stores and clocks, and of the present. An error of what is below, or of the stores, is not the
 * program's to swallow: the call fails with it in any case.
 */
export class ProgramScope {
  readonly #node: ProgramNode
  readonly #task: ProcessorContext
  /** Those that were asked for. */
  readonly #stores = new Map<string, AnyProcessorStore>()
  #present: Present | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(node: ProgramNode, task: ProcessorContext) {
    this.#node = node
    this.#task = task
    // What knows a time has to be there before the times of the last commit are.
    for (const { name, historyMs } of node.stores) if (historyMs !== undefined) this.#store(name)
  }

  /** What is being called for; undefined between two calls. */
  get present(): Present | undefined {
    return this.#present
  }

  /** A context without the way onward. */
  context(): Omit<ProcessContext, 'forward'> {
    const { taskId, streamTimeMs, nowMs, requestCommit } = this.#task
    const present = () => this.#present
    return {
      taskId,
      get streamTimeMs() {
        return streamTimeMs()
      },
      get nowMs() {
        return nowMs()
      },
      get origin() {
        const origin = present()?.origin
        return origin === punctuationOrigin ? undefined : origin
      },
      store: (name) => this.#store(name),
      schedule: (every, clock, punctuate) => this.#schedule({ every, clock, punctuate }),
      commit: requestCommit
    }
  }

  /**
   * Calls the program, which may take its time.
   * @throws ProcessingError for what it throws.
   */
  call(present: Present, run: () => void | Promise<void>): void | Promise<void> {
    const outer = this.#present
    this.#present = present
    this.#failure = undefined
    try {
      const waits = run()
      if (waits instanceof Promise)
        return waits.catch((cause) => this.#fail(cause, present)).finally(() => this.#end(outer))
    } catch (cause) {
      this.#fail(cause, present)
    }
    this.#end(outer)
  }

  /** Runs what a call leads to below; its error is the call's. */
  below(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  #end(outer: Present | undefined): void {
    this.#present = outer
    if (this.#failure) throw this.#failure.error
  }

  #fail(cause: unknown, { origin }: Present): void {
    this.#failure ??= {
      error: cause instanceof StoreDamagedError ? cause : new ProcessingError(this.#node.name, origin, cause)
    }
  }

  #schedule(asked: {
    readonly every: Duration
    readonly clock: PunctuationClock
    readonly punctuate: (timestampMs: number) => void | Promise<void>
  }): Cancellable {
    const { every, clock, punctuate } = asked
    return this.#task.schedule({
      node: this.#node.name,
      clock,
      everyMs: durationMs('every', every, { leastMs: 1 }),
      run: (timestamp) =>
        this.call({ timestamp, headers: NO_HEADERS, origin: punctuationOrigin }, () => punctuate(timestamp))
    })
  }

  #globalStore(name: string): ProcessorGlobalStore {
    const rows = this.#task.globalTable?.(name)
    if (rows === undefined) throw new InvariantError(`task ${this.#task.taskId} has no global table ${name}`)
    return { name, get: (key) => rows.get(key)?.value }
  }

  #store(name: string): AnyProcessorStore {
    const known = this.#stores.get(name)
    if (known !== undefined) return known
    const store = this.#openStore(name)
    this.#stores.set(name, store)
    return store
  }

  #openStore(name: string): AnyProcessorStore {
    if (this.#node.globals.includes(name)) return this.#globalStore(name)
    const definition = this.#node.stores.find((store) => store.name === name)
    if (definition === undefined) {
      const known = [...this.#node.stores.map((store) => store.name), ...this.#node.globals].join(', ') || 'none'
      throw new UsageError(
        `${this.#node.name} was not given store ${name}: it has ${known}; name it in { stores: […] }`
      )
    }
    const timestamp = (): number => Math.max(0, this.#present?.timestamp ?? this.#task.streamTimeMs())
    if (definition.kind === 'window') {
      const { stores } = this.#task
      const starting = (fromMs: number, toMs: number) => stores.windowsClosing(name, fromMs, toMs)
      const byKey = definition.indexBucketMs === undefined ? undefined : stores.indexedWindow(name)
      return windowView(byKey ?? stores.window(name), { starting, byKey }, timestamp)
    }
    if (definition.kind === 'session') return sessionView(this.#task.stores.session(name))
    const store = this.#task.stores.keyValue(name)
    if (definition.historyMs !== undefined) {
      // Whoever shares the store shares its time.
      const time = this.#task.operatorTime(`store ${name}`)
      this.#task.stage(time)
      const dropped = this.#task.dropCounter(this.#node.name)
      return versionedView(new VersionedRows(store, time, definition.historyMs), timestamp, () => dropped.add('late'))
    }
    return this.#node.readOnly?.includes(name) ? readOnlyView(store) : keyValueView(store, timestamp)
  }
}
