import type { Draft } from './draft.ts'
import type { Fluent } from './fluent.ts'
import { KGroupedStream } from './k-grouped-stream.ts'
import { KGroupedTable } from './k-grouped-table.ts'
import { KStream } from './k-stream.ts'
import { KTable } from './k-table.ts'
import { stream } from './operators/stream.ts'
import { table } from './operators/table.ts'
import type { StreamOptions } from './options.ts'
import { SessionWindowedKStream } from './session-windowed-k-stream.ts'
import type { TopicTableOptions } from './table-options.ts'
import { TimeWindowedKStream } from './time-windowed-k-stream.ts'

const fluent: Fluent = {
  stream: (point) => new KStream(point, fluent),
  grouped: (grouped) => new KGroupedStream(grouped, fluent),
  windowed: (windowed) => new TimeWindowedKStream(windowed, fluent),
  sessions: (windowed) => new SessionWindowedKStream(windowed, fluent),
  table: (point) => new KTable(point, fluent),
  groupedTable: (grouped) => new KGroupedTable(grouped, fluent)
}

/** Where a topology begins: what `defineTopology` hands to the program. */
export class StreamsBuilder {
  readonly #draft: Draft

  constructor(draft: Draft) {
    this.#draft = draft
  }

  /** Reads one topic, or several as one stream with no order between them but that of their timestamps. */
  stream<K, V>(topics: string | readonly string[], options: StreamOptions<K, V>): KStream<K, V> {
    return fluent.stream(stream(this.#draft, typeof topics === 'string' ? [topics] : topics, options))
  }

  /**
   * Reads a topic as a table: the latest record of every key, null deletes. Null keys are dropped and counted. What came last counts, even
   * if its timestamp is older, unless `history` makes the table a versioned one.
   */
  table<K, V>(topic: string, options: TopicTableOptions<K, V>): KTable<NonNullable<K>, V | null> {
    return fluent.table(table(this.#draft, topic, options))
  }
}
