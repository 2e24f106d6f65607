import { MillraceError } from '../../errors.ts'

/**
 * A partition cannot be compacted: a batch of it cannot be decoded, or is damaged. Nothing of it is deleted and it is not tried again before the
 * next start. Restart the log, which moves damaged bytes aside; if it stays so, a producer wrote what nobody can read.
 */
export class UncleanableError extends MillraceError {
  readonly code = 'MILLRACE_UNCLEANABLE'
  readonly topic: string
  readonly partition: number
  /** Base offset of the batch. */
  readonly offset: number

  constructor(at: { readonly topic: string; readonly partition: number; readonly offset: number }, cause: Error) {
    super(
      `Partition ${at.topic}-${at.partition} cannot be compacted, so it keeps all its records: the batch at offset ` +
        `${at.offset} cannot be read (${cause.message}). Restart the log to have damage moved aside`,
      { cause }
    )
    this.topic = at.topic
    this.partition = at.partition
    this.offset = at.offset
  }
}

/** Compaction was told to end, or the segments it read were deleted meanwhile. Never leaves this folder. */
export class CompactionInterrupted extends MillraceError {
  readonly code = 'MILLRACE_COMPACTION_INTERRUPTED'

  constructor() {
    super('Compaction was interrupted; it begins again from what it had finished')
  }
}
