import type { SourceRecord } from '../../source.ts'
import type { Change } from './envelope.ts'

/** Counts the changes of a transaction and tells of its begin and end, as Debezium's `provide.transaction.metadata` does. */
export class TransactionMetadata {
  readonly #topic: string
  readonly #perTable = new Map<string, number>()
  #id = ''
  #total = 0

  /** @param prefix the topics' prefix: the records go to `<prefix>.transaction`. */
  constructor(prefix: string) {
    this.#topic = `${prefix}.transaction`
  }

  begin(id: string): void {
    this.#id = id
    this.#total = 0
    this.#perTable.clear()
  }

  /** The next change's place in its transaction. */
  next(table: string): NonNullable<Change['order']> {
    const inTable = (this.#perTable.get(table) ?? 0) + 1
    this.#perTable.set(table, inTable)
    this.#total += 1
    return { id: this.#id, total: this.#total, inTable }
  }

  get isEmpty(): boolean {
    return this.#total === 0
  }

  beginRecord(atMs: number): SourceRecord {
    return this.#record({ status: 'BEGIN', id: this.#id, ts_ms: atMs, event_count: null, data_collections: null })
  }

  endRecord(atMs: number): SourceRecord {
    const collections = [...this.#perTable].map(([table, count]) => ({ data_collection: table, event_count: count }))
    return this.#record({
      status: 'END',
      id: this.#id,
      ts_ms: atMs,
      event_count: this.#total,
      data_collections: collections
    })
  }

  #record(value: { readonly ts_ms: number } & Record<string, unknown>): SourceRecord {
    return {
      topic: this.#topic,
      key: Buffer.from(JSON.stringify({ id: this.#id })),
      value: Buffer.from(JSON.stringify(value)),
      timestamp: value.ts_ms
    }
  }
}
