import type { ChangeOrigin } from './envelope.ts'
import type { Lsn } from './replication/lsn.ts'

/** A transaction of which not all has been read, and how much of it the log has from before. */
export class OpenTransaction {
  readonly commitLsn: Lsn
  readonly origin: ChangeOrigin & { readonly xid: number }
  /** Whether a captured change was handed on. */
  hasRows = false
  readonly #skip: number
  #changes = 0

  /** @param skip Changes that were in the log before this source was opened; infinite when all of them were. */
  constructor(commitLsn: Lsn, origin: ChangeOrigin & { readonly xid: number }, skip: number) {
    this.commitLsn = commitLsn
    this.origin = origin
    this.#skip = skip
  }

  /** Nothing of it was in the log before. */
  get isNew(): boolean {
    return this.#skip === 0
  }

  /** All of it was in the log before. */
  get isOld(): boolean {
    return this.#skip === Number.POSITIVE_INFINITY
  }

  /** Whether the change that was counted last was in the log before. */
  get isSkipping(): boolean {
    return this.#changes <= this.#skip
  }

  /** How many of its changes are in the log once what was handed on is; undefined when a start would read it from its beginning, or not at all. */
  get changesInLog(): number | undefined {
    return this.#changes === 0 || this.isOld ? undefined : Math.max(this.#changes, this.#skip)
  }

  /** Goes on to its next change. */
  count(): void {
    this.#changes += 1
  }
}
