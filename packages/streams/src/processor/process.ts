import { InvariantError, UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../graph/duration.ts'
import type {
  Cancellable,
  ForwardedRecord,
  ProcessContext,
  ProcessorGlobalStore,
  PunctuationClock
} from '../graph/process-context.ts'
import type { ProcessNode } from '../graph/process-node.ts'
import { type Header, type RecordOrigin, StreamRecord } from '../graph/record.ts'
import { StoreDamagedError } from '../state/errors.ts'
import { ProcessingError, punctuationOrigin } from './errors.ts'
import { NO_TIME_MS } from './operator-time.ts'
import type { Forward, Processor } from './processor.ts'
import { keyValueView, readOnlyView, windowView } from './processor-store.ts'
import type { ProcessorContext } from './task-context.ts'

const NO_HEADERS: readonly Header[] = Object.freeze([])

/**
 * Runs a program's own processor. What it forwards runs through everything below before `forward` returns. Where its call returns a promise, the
 * task waits for it, and a second record that reaches it meanwhile (of a `flatMap`, or of a commit's flush) waits its turn.
 */
export function processProcessor(node: ProcessNode, context: ProcessorContext, forward: Forward): Processor {
  const run = new ProcessRun(node, context, forward)
  const processor = node.make(run.context)
  const expire = windowExpiry(node, context)
  return {
    process: (record) => run.process(record, (current) => processor.process(current)),
    ...(expire && { flush: expire }),
    close: () => processor.close?.()
  }
}

/** What of the present is known to a processor: the record it has, or the time of the punctuation. */
interface Present {
  readonly timestamp: number
  readonly headers: readonly Header[]
  readonly origin: RecordOrigin
}

class ProcessRun {
  readonly context: ProcessContext
  readonly #node: ProcessNode
  readonly #task: ProcessorContext
  readonly #forward: Forward
  #present: Present | undefined
  /** The last call that is not done. */
  #pending: Promise<void> | undefined
  /** An error of what is below, or of the stores: not the processor's own, and not its to swallow. */
  #failure: { readonly error: unknown } | undefined

  constructor(node: ProcessNode, task: ProcessorContext, forward: Forward) {
    this.#node = node
    this.#task = task
    this.#forward = forward
    this.context = this.#makeContext()
  }

  process(record: StreamRecord, call: (record: StreamRecord) => void | Promise<void>): void {
    if (this.#pending === undefined) {
      const waits = this.#call(record, () => call(record))
      if (waits) this.#hold(waits)
      return
    }
    this.#hold(this.#pending.then(() => this.#call(record, () => call(record))))
  }

  #hold(waits: Promise<void>): void {
    const pending = waits.finally(() => {
      if (this.#pending === pending) this.#pending = undefined
    })
    this.#pending = pending
    this.#task.wait(pending)
  }

  #call(present: Present, run: () => void | Promise<void>): void | Promise<void> {
    this.#present = present
    this.#failure = undefined
    try {
      const waits = run()
      if (waits instanceof Promise) return waits.catch((cause) => this.#fail(cause, present)).finally(() => this.#end())
    } catch (cause) {
      this.#fail(cause, present)
    }
    this.#end()
  }

  #end(): void {
    this.#present = undefined
    if (this.#failure) throw this.#failure.error
  }

  #fail(cause: unknown, { origin }: Present): void {
    this.#failure ??= {
      error: cause instanceof StoreDamagedError ? cause : new ProcessingError(this.#node.name, origin, cause)
    }
  }

  #makeContext(): ProcessContext {
    const run = this
    const { taskId, streamTimeMs, nowMs, requestCommit } = this.#task
    return {
      taskId,
      get streamTimeMs() {
        return streamTimeMs()
      },
      get nowMs() {
        return nowMs()
      },
      get origin() {
        const origin = run.#present?.origin
        return origin === punctuationOrigin ? undefined : origin
      },
      store: (name) => this.#store(name),
      forward: (...given: unknown[]) => this.#send(forwarded(given)),
      schedule: (every, clock, punctuate) => this.#schedule({ every, clock, punctuate }),
      commit: requestCommit
    }
  }

  #send({ key, value, timestamp, headers }: ForwardedRecord): void {
    const present = this.#present
    if (present === undefined) throw new UsageError(`${this.#node.name} forwarded outside of a record or a punctuation`)
    const at = timestamp ?? present.timestamp
    const record = new StreamRecord(key, value, at, headers ?? present.headers, present.origin)
    try {
      this.#forward(record)
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  #schedule(asked: {
    readonly every: Duration
    readonly clock: PunctuationClock
    readonly punctuate: (timestampMs: number) => void | Promise<void>
  }): Cancellable {
    const { every, clock, punctuate } = asked
    const { name: node } = this.#node
    return this.#task.schedule({
      node,
      clock,
      everyMs: durationMs('every', every, { leastMs: 1 }),
      run: (timestamp) =>
        this.#call({ timestamp, headers: NO_HEADERS, origin: punctuationOrigin }, () => punctuate(timestamp))
    })
  }

  #globalStore(name: string): ProcessorGlobalStore {
    const rows = this.#task.globalTable?.(name)
    if (rows === undefined) throw new InvariantError(`task ${this.#task.taskId} has no global table ${name}`)
    return { name, get: (key) => rows.get(key)?.value }
  }

  #store(name: string): ReturnType<ProcessContext['store']> {
    if (this.#node.globals.includes(name)) return this.#globalStore(name)
    const definition = this.#node.stores.find((store) => store.name === name)
    if (definition === undefined) {
      const known = [...this.#node.stores.map((store) => store.name), ...this.#node.globals].join(', ') || 'none'
      throw new UsageError(
        `${this.#node.name} was not given store ${name}: it has ${known}; name it in { stores: […] }`
      )
    }
    const timestamp = (): number => this.#present?.timestamp ?? Math.max(0, this.#task.streamTimeMs())
    if (definition.kind === 'window') {
      const windows = (fromMs: number, toMs: number) => this.#task.stores.windowsClosing(name, fromMs, toMs)
      return windowView(this.#task.stores.window(name), windows, timestamp)
    }
    const store = this.#task.stores.keyValue(name)
    return this.#node.readOnly?.includes(name) ? readOnlyView(store) : keyValueView(store, timestamp)
  }
}

function forwarded(given: readonly unknown[]): ForwardedRecord {
  const [first, value, timestamp] = given
  if (given.length > 1) return { key: first, value, ...(typeof timestamp === 'number' && { timestamp }) }
  if (typeof first === 'object' && first !== null && 'key' in first && 'value' in first) return first
  throw new UsageError('forward takes a record, or a key and a value')
}

/** Windows of the processor's stores past their retention go, one flush after task time passed it: their last change is in the changelog then. */
function windowExpiry({ stores }: ProcessNode, context: ProcessorContext): (() => void) | undefined {
  const windowStores = stores.filter(({ kind }) => kind === 'window')
  if (windowStores.length === 0) return undefined
  let flushedMs = NO_TIME_MS
  return () => {
    for (const { name, retentionMs = Number.POSITIVE_INFINITY } of windowStores) {
      const beforeMs = flushedMs - retentionMs + 1
      if (beforeMs > 0) context.stores.expire(name, beforeMs)
    }
    flushedMs = context.streamTimeMs()
  }
}
