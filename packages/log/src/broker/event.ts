import type { UncleanableError } from '../storage/cleaner/errors.ts'
import type { CleanReport } from '../storage/cleaner/log-cleaner.ts'
import type { DamageReport } from '../storage/damage.ts'
import type { LogDirectoryFailedError } from '../storage/errors.ts'

/** Something that whoever runs the broker should know and no client is told. */
export type BrokerEvent =
  /** Files of the directory were broken; the report says what was done about it. */
  | { readonly kind: 'damage'; readonly report: DamageReport }
  /** The disk failed: the broker acknowledges nothing any more. Look after the disk, then restart. */
  | { readonly kind: 'directory-failed'; readonly error: LogDirectoryFailedError }
  /** A request met an error that its handler did not expect. */
  | { readonly kind: 'request-failed'; readonly api: string; readonly error: unknown }
  /** A run of the cleaner over one partition has ended. */
  | { readonly kind: 'compacted'; readonly run: CleanReport }
  /** A partition cannot be compacted: it keeps all its records, and is not tried again before the next start. */
  | { readonly kind: 'uncleanable'; readonly error: UncleanableError }
  /** A periodic job failed; it runs again at its next time. */
  | { readonly kind: 'job-failed'; readonly job: string; readonly error: unknown }
  /** A partition's directory belongs to no topic that the metadata log knows; it was put aside under the new name. */
  | { readonly kind: 'stray-directory'; readonly path: string; readonly movedTo: string }

/** Hears of events as they happen. Must not throw. */
export type OnBrokerEvent = (event: BrokerEvent) => void
