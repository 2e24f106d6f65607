import type { Header } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { LoggedRecord } from './single-record-batch.ts'

/** A record that a topology wrote. */
export interface TestRecord<K, V> {
  readonly key: K | null
  readonly value: V | null
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly headers: readonly Header[]
}

/** A topic that a test reads from: each record once, in the order in which they were written. */
export class TestOutput<K, V> {
  readonly topic: string
  readonly #key: Serde<K>
  readonly #value: Serde<V>
  readonly #records: readonly LoggedRecord[]
  #next = 0

  constructor(
    topic: string,
    serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
    records: readonly LoggedRecord[]
  ) {
    this.topic = topic
    this.#key = serdes.key
    this.#value = serdes.value
    this.#records = records
  }

  /** The next record, or undefined when all are read. */
  read(): TestRecord<K, V> | undefined {
    if (this.#next >= this.#records.length) return undefined
    const { key, value, timestamp, headers } = this.#records[this.#next++]
    return { key: decoded(this.#key, key), value: decoded(this.#value, value), timestamp, headers }
  }

  /** All records not read yet. */
  readAll(): TestRecord<K, V>[] {
    const records: TestRecord<K, V>[] = []
    for (let record = this.read(); record !== undefined; record = this.read()) records.push(record)
    return records
  }

  /** Values of all records not read yet. */
  readValues(): (V | null)[] {
    return this.readAll().map(({ value }) => value)
  }

  /** Keys and values of all records not read yet. */
  readKeyValues(): [K | null, V | null][] {
    return this.readAll().map(({ key, value }) => [key, value])
  }

  /** How many records are not read yet. */
  get pending(): number {
    return this.#records.length - this.#next
  }
}

function decoded<T>(serde: Serde<T>, bytes: Buffer | null): T | null {
  return bytes === null ? null : serde.decode(bytes, 0, bytes.length)
}
