import { MillraceError } from '@millrace/log'

/**
 * An RxJS chain emitted, or would have emitted, after the call that gave it its value: the record's offset may be committed by then.
 * `node` is the step. Keep to operators that emit synchronously.
 */
export class LateEmissionError extends MillraceError {
  readonly code = 'STREAMS_LATE_EMISSION'
  readonly node: string

  constructor(node: string) {
    super(
      `'${node}': the chain emits later than the call that gave it a value, when that record's offset may be committed: ` +
        'keep to operators that emit synchronously'
    )
    this.node = node
  }
}
