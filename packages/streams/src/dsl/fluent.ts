import type { CogroupedKStream } from './cogrouped-k-stream.ts'
import type { Point } from './draft.ts'
import type { KGroupedStream } from './k-grouped-stream.ts'
import type { KGroupedTable } from './k-grouped-table.ts'
import type { KStream } from './k-stream.ts'
import type { KTable } from './k-table.ts'
import type { CogroupedPoint, CogroupedWindows } from './operators/cogroup.ts'
import type { GroupedPoint } from './operators/group-by-key.ts'
import type { SaltedPoint } from './operators/salted.ts'
import type { WindowedPoint } from './operators/windowed-by.ts'
import type { Slot } from './options.ts'
import type { SaltedKStream, SaltedWindowedKStream } from './salted-k-stream.ts'
import type { SessionWindowedKStream } from './session-windowed-k-stream.ts'
import type { TimeWindowedKStream } from './time-windowed-k-stream.ts'
import type { SessionWindowedCogroupedKStream, TimeWindowedCogroupedKStream } from './windowed-cogrouped-k-stream.ts'

/** Makes the fluent objects. Each gets it handed down, since a stream leads to a table and a table back to a stream. */
export interface Fluent {
  stream<K, V, Known extends Slot>(point: Point): KStream<K, V, Known>
  grouped<K, V, Known extends Slot>(grouped: GroupedPoint): KGroupedStream<K, V, Known>
  windowed<K, V, Known extends Slot>(windowed: WindowedPoint): TimeWindowedKStream<K, V, Known>
  sessions<K, V, Known extends Slot>(windowed: WindowedPoint): SessionWindowedKStream<K, V, Known>
  cogrouped<K, A>(cogrouped: CogroupedPoint): CogroupedKStream<K, A>
  table<K, V, Known extends Slot>(point: Point): KTable<K, V, Known>
  groupedTable<K, V>(grouped: GroupedPoint): KGroupedTable<K, V>
  cogroupedWindows<K, A>(cogrouped: CogroupedPoint, windows: CogroupedWindows): TimeWindowedCogroupedKStream<K, A>
  cogroupedSessions<K, A>(cogrouped: CogroupedPoint, windows: CogroupedWindows): SessionWindowedCogroupedKStream<K, A>
  salted<K, V, Known extends Slot>(salted: SaltedPoint): SaltedKStream<K, V, Known>
  saltedWindows<K, V, Known extends Slot>(salted: SaltedPoint): SaltedWindowedKStream<K, V, Known>
}
