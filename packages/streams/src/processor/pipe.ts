import { PipeEndedError, StatefulPipeError } from '../dsl/pipe-error.ts'
import { LateEmissionError } from '../graph/late-emission-error.ts'
import type { PipedInput } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'

/** The chain itself is wrong, not one record: no policy may skip it. */
function isMisuse(cause: unknown): boolean {
  return cause instanceof LateEmissionError || cause instanceof StatefulPipeError || cause instanceof PipeEndedError
}

/**
 * Runs a chain of synchronous operators over values; key, timestamp and headers follow from the record that is being processed. What the
 * chain emits is collected and goes on when its call has returned, so that an error downstream cannot end the chain.
 *
 * An error inside the chain ends it (as RxJS chains do); the next record gets a new one. An emission outside of a call cannot be tied to a
 * record: it throws where it happens, and fails the task at its next record or commit.
 */
export function pipeProcessor(
  node: string,
  connect: (emit: (value: unknown) => void) => PipedInput,
  forward: Forward
): Processor {
  let emitted: unknown[] = []
  let running = false
  let late: LateEmissionError | undefined
  const emit = (value: unknown): void => {
    if (!running) {
      late = new LateEmissionError(node)
      throw late
    }
    emitted.push(value)
  }
  let input: PipedInput | undefined

  const run = (record: StreamRecord): unknown[] => {
    running = true
    try {
      input ??= connect(emit)
      input.next(record.value)
      return emitted
    } catch (cause) {
      input?.close()
      input = undefined
      throw isMisuse(cause) ? cause : new ProcessingError(node, record.origin, cause)
    } finally {
      emitted = []
      running = false
    }
  }
  const failIfLate = (): void => {
    if (late) throw late
  }

  return {
    process: (record) => {
      failIfLate()
      for (const value of run(record)) forward(record.withValue(value))
    },
    flush: failIfLate,
    close: () => input?.close()
  }
}
