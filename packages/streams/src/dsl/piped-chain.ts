import { Observable, Subject } from 'rxjs'
import { LateEmissionError } from '../graph/late-emission-error.ts'
import type { PipedInput } from '../graph/node.ts'
import { PipeEndedError, StatefulPipeError } from './pipe-error.ts'

/** RxJS operators in a row. */
export type Chain = (input: Observable<unknown>) => Observable<unknown>

type Emit = (value: unknown) => void

/**
 * Sends each value through a subscription of its own, as `of(value).pipe(...)`: whatever an operator would remember ends with the value, so a
 * crash loses nothing. A chain shows at its very first value when that is not what it needs: it is not finished when the value is
 * (a timer, a promise), it emits only at the end (`bufferCount`, `last`), or it ends before (`take`).
 */
export function chainPerValue(node: string, chain: Chain): (emit: Emit) => PipedInput {
  return (emit) => {
    let current: unknown
    let stage: 'before' | 'value' | 'end' = 'before'
    const output = chain(
      new Observable((subscriber) => {
        stage = 'value'
        subscriber.next(current)
        stage = 'end'
        subscriber.complete()
      })
    )
    return {
      next(value) {
        current = value
        stage = 'before'
        // An error thrown inside an observer would surface nowhere: it is kept and thrown when the subscription is over.
        const outcome: Outcome = { finished: false }
        const subscription = output.subscribe({
          next(result) {
            if (stage === 'value') emit(result)
            else outcome.failure ??= { cause: new StatefulPipeError(node, emitted[stage]) }
          },
          complete() {
            if (stage !== 'end') outcome.failure ??= { cause: new StatefulPipeError(node, 'completes by itself') }
            outcome.finished = true
          },
          error(cause: unknown) {
            outcome.failure ??= { cause }
            outcome.finished = true
          }
        })
        subscription.unsubscribe()
        if (outcome.failure !== undefined) throw outcome.failure.cause
        if (!outcome.finished) throw new LateEmissionError(node)
      },
      close() {}
    }
  }
}

interface Outcome {
  finished: boolean
  failure?: { readonly cause: unknown }
}

const emitted = {
  before: 'emits before it has a value',
  end: 'holds values back until its input ends'
} as const

/**
 * Sends all values through one subscription, which lives until `close`. What the chain remembers is in memory only. It still has to emit
 * inside the call that gives it a value: an emission after it goes to `emit` all the same, which refuses it.
 */
export function lastingChain(node: string, chain: Chain): (emit: Emit) => PipedInput {
  return (emit) => {
    const input = new Subject<unknown>()
    const outcome: Outcome = { finished: false }
    const subscription = input.pipe(chain).subscribe({
      next(result) {
        try {
          emit(result)
        } catch (cause) {
          // Only a late emission throws, and nobody is there to catch it: RxJS would end the process.
          outcome.failure ??= { cause }
        }
      },
      complete() {
        outcome.failure ??= { cause: new PipeEndedError(node) }
      },
      error(cause: unknown) {
        outcome.failure ??= { cause }
      }
    })
    return {
      next(value) {
        if (outcome.failure === undefined) input.next(value)
        if (outcome.failure !== undefined) throw outcome.failure.cause
      },
      close: () => subscription.unsubscribe()
    }
  }
}
