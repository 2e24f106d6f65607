import { MillraceError } from '@millrace/log'

/**
 * A serde cannot read a value yet: it lacks something that it has begun to fetch, such as the schema that the value names. The value is not bad, so
 * no policy skips it: the application goes back to its last commit, waits for `ready`, and reads it again.
 */
export class SerdeNotReadyError extends MillraceError {
  readonly code = 'STREAMS_SERDE_NOT_READY'
  /** The serde's name. */
  readonly serde: string
  /** Settles when it is worth trying again; rejects when what is lacking could not be fetched this time. */
  readonly ready: Promise<unknown>

  constructor(details: { readonly serde: string; readonly problem: string; readonly ready: Promise<unknown> }) {
    super(`${details.serde} cannot decode yet: ${details.problem}; wait for 'ready' and try again`)
    this.serde = details.serde
    this.ready = details.ready
  }
}

/** The reason to wait behind an error, however it was wrapped; undefined: there is none. */
export function notReadyCause(error: unknown): SerdeNotReadyError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof SerdeNotReadyError) return cause
  }
  return undefined
}
