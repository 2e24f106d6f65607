import { UsageError } from '@millrace/log'
import type { ForwardedRecord, ProcessContext } from '../graph/process-context.ts'
import type { ProcessNode } from '../graph/process-node.ts'
import { StreamRecord } from '../graph/record.ts'
import type { Forward, Processor } from './processor.ts'
import { ProgramScope } from './program-scope.ts'
import { windowExpiry } from './program-windows.ts'
import type { ProcessorContext } from './task-context.ts'

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

class ProcessRun {
  readonly context: ProcessContext
  readonly #name: string
  readonly #scope: ProgramScope
  readonly #wait: ProcessorContext['wait']
  readonly #forward: Forward
  /** The last call that is not done. */
  #pending: Promise<void> | undefined

  constructor(node: ProcessNode, task: ProcessorContext, forward: Forward) {
    this.#name = node.name
    this.#scope = new ProgramScope(node, task)
    this.#wait = task.wait
    this.#forward = forward
    this.context = Object.assign(this.#scope.context(), {
      forward: (...given: unknown[]) => this.#send(forwarded(given))
    })
  }

  process(record: StreamRecord, call: (record: StreamRecord) => void | Promise<void>): void {
    if (this.#pending === undefined) {
      const waits = this.#scope.call(record, () => call(record))
      if (waits) this.#hold(waits)
      return
    }
    this.#hold(this.#pending.then(() => this.#scope.call(record, () => call(record))))
  }

  #hold(waits: Promise<void>): void {
    const pending = waits.finally(() => {
      if (this.#pending === pending) this.#pending = undefined
    })
    this.#pending = pending
    this.#wait(pending)
  }

  #send({ key, value, timestamp, headers }: ForwardedRecord): void {
    const { present } = this.#scope
    if (present === undefined) throw new UsageError(`${this.#name} forwarded outside of a record or a punctuation`)
    const at = timestamp ?? present.timestamp
    const record = new StreamRecord(key, value, at, headers ?? present.headers, present.origin)
    this.#scope.below(() => this.#forward(record))
  }
}

function forwarded(given: readonly unknown[]): ForwardedRecord {
  const [first, value, timestamp] = given
  if (given.length > 1) return { key: first, value, ...(typeof timestamp === 'number' && { timestamp }) }
  if (typeof first === 'object' && first !== null && 'key' in first && 'value' in first) return first
  throw new UsageError('forward takes a record, or a key and a value')
}
