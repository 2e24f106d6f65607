import { MillraceError } from '@millrace/log'

/**
 * A task's state on disk can not be trusted: a file, an entry or a commit is missing or wrong. Nothing of it may be used; set it aside and
 * rebuild it from the changelogs.
 */
export class StoreDamagedError extends MillraceError {
  readonly code = 'STREAMS_STORE_DAMAGED'
  /** What is damaged: a file's path, or what the engine calls itself. */
  readonly where: string

  constructor(where: string, problem: string, options?: ErrorOptions) {
    super(`state ${where} is damaged: ${problem}; it is to be set aside and rebuilt from its changelogs`, options)
    this.where = where
  }
}
