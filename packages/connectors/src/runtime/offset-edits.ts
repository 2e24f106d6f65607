import type { SinkOffset } from '../sink.ts'

/** Offsets that an operator wants a sink to go on from. */
export interface OffsetEdit {
  readonly offsets: readonly SinkOffset[]
  /** The target has these now. */
  done(offsets: readonly SinkOffset[]): Promise<void>
}
