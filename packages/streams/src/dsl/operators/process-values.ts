import { UsageError } from '@millrace/log'
import type { ProcessContext } from '../../graph/process-context.ts'
import type { ProcessNode, RunningProcessor } from '../../graph/process-node.ts'
import type { Header, StreamRecord } from '../../graph/record.ts'
import type { Point } from '../draft.ts'
import { type AnyProcessOptions, addProcessor } from './process.ts'

/** What a processor that keeps keys is given. */
export interface AnyValuesContext extends Omit<ProcessContext, 'forward'> {
  forward(value: unknown, options?: { readonly timestamp?: number; readonly headers?: readonly Header[] }): void
}

/** A program's processor, its types laid down; written as methods for the reason given at `Callback`. */
export type AnyValuesProcessor =
  | { run(record: StreamRecord, context: AnyValuesContext): void | Promise<void> }['run']
  | { make(context: AnyValuesContext): RunningProcessor }

/** As `process`, for values only: what it forwards has the key of its record, so that the key does not count as changed. */
export function processValues(point: Point, processor: AnyValuesProcessor, options: AnyProcessOptions): Point {
  return addProcessor(point, { verb: 'processValues', keepsKey: true, make: makerOf(processor), options })
}

function makerOf(processor: AnyValuesProcessor): ProcessNode['make'] {
  return (context) => {
    let current: StreamRecord | undefined
    const values = valuesContext(context, {
      current: () => current,
      // A punctuation has no record, though there was one before it.
      forget: () => {
        current = undefined
      }
    })
    const running =
      typeof processor === 'object'
        ? processor.make(values)
        : { process: (record: StreamRecord) => processor(record, values) }
    return {
      process: (record) => {
        current = record
        return running.process(record)
      },
      close: () => running.close?.()
    }
  }
}

function valuesContext(
  context: ProcessContext,
  { current, forget }: { readonly current: () => StreamRecord | undefined; readonly forget: () => void }
): AnyValuesContext {
  return {
    taskId: context.taskId,
    get streamTimeMs() {
      return context.streamTimeMs
    },
    get nowMs() {
      return context.nowMs
    },
    get origin() {
      return context.origin
    },
    store: (name) => context.store(name),
    schedule: (every, clock, punctuate) =>
      context.schedule(every, clock, (timestampMs) => {
        forget()
        return punctuate(timestampMs)
      }),
    commit: () => context.commit(),
    forward: (value, options) => {
      const record = current()
      if (record === undefined)
        throw new UsageError(
          'a processor of values forwards while it has a record, not in a punctuation: use process()'
        )
      context.forward({ key: record.key, value, ...options })
    }
  }
}
