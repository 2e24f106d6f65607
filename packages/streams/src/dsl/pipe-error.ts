import { MillraceError } from '@millrace/log'

/**
 * An RxJS chain given to `pipe()` keeps state, which would be lost at a crash. `node` is the step. Mark it `{ volatile: true }` if that
 * is fine, or use the operator of the same name in `@millrace/streams/rx`, which keeps its state in a store.
 */
export class StatefulPipeError extends MillraceError {
  readonly code = 'STREAMS_STATEFUL_PIPE'
  readonly node: string

  constructor(node: string, evidence: string) {
    super(
      `'${node}': the chain ${evidence}, so it keeps state from value to value, in memory only: ` +
        'mark it { volatile: true } if it may be lost, or use the durable operator of @millrace/streams/rx'
    )
    this.node = node
  }
}

/** A volatile RxJS chain completed (`take`, `first`, `takeWhile` ...): what comes after would be lost without a word. `node` is the step. */
export class PipeEndedError extends MillraceError {
  readonly code = 'STREAMS_PIPE_ENDED'
  readonly node: string

  constructor(node: string) {
    super(`'${node}': the chain completed and lets nothing more through: use filter() to choose records`)
    this.node = node
  }
}
