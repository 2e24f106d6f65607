import { MillraceError } from '@millrace/log'

/**
 * An RxJS chain given to `pipe()` keeps state, which would be lost at a crash. `node` is the step. Mark it `{ volatile: true }` if that
 * is fine, or keep the state in a store, by `aggregate`.
 */
export class StatefulPipeError extends MillraceError {
  readonly code = 'STREAMS_STATEFUL_PIPE'
  readonly node: string

  constructor(node: string, evidence: string) {
    super(
      `'${node}': the chain ${evidence}, so it keeps state from value to value, in memory only: ` +
        'mark it { volatile: true } if it may be lost, or keep it in a store: rx() or aggregate()'
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
