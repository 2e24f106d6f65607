/**
 * Why a record (or, in a window that is closed, its part in that window) went no further. As Kafka Streams' `dropped-records`, told apart.
 * The order is that of the committed form: new reasons go to the end.
 */
export const DROP_REASONS = [
  'null-key',
  'null-value',
  'late',
  'negative-timestamp',
  'deserialization-error',
  'processing-error'
] as const

/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number]

/** What one node dropped so far, by reason. Monotone; not rolled back with a skipped record. */
export class DropCounter {
  readonly node: string
  readonly counts: Record<DropReason, number> = {
    'null-key': 0,
    'null-value': 0,
    late: 0,
    'negative-timestamp': 0,
    'deserialization-error': 0,
    'processing-error': 0
  }

  constructor(node: string) {
    this.node = node
  }

  add(reason: DropReason): void {
    this.counts[reason] += 1
  }
}
