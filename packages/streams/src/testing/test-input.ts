import { UsageError } from '@millrace/log'
import type { Header } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'

/** Event time and headers of a piped record. */
export interface PipeOptions {
  /** Milliseconds since the epoch; default: the driver's wall clock. */
  readonly timestamp?: number
  readonly headers?: readonly Header[]
}

/** Takes one encoded record. */
export type PipeBytes = (record: {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number | undefined
  readonly headers: readonly Header[]
}) => Promise<void>

/** A topic that a test writes to. Every record runs through the whole topology, and is committed, before the promise resolves. */
export class TestInput<K, V> {
  readonly topic: string
  readonly #key: Serde<K>
  readonly #value: Serde<V>
  readonly #pipe: PipeBytes

  constructor(topic: string, serdes: { readonly key: Serde<K>; readonly value: Serde<V> }, pipe: PipeBytes) {
    this.topic = topic
    this.#key = serdes.key
    this.#value = serdes.value
    this.#pipe = pipe
  }

  /**
   * Pipes one record; a number as third argument is its timestamp in milliseconds.
   * @throws what the topology threw, when no policy covers it. The driver then takes no more records.
   * @throws UsageError when the timestamp is no whole number.
   */
  pipe(key: K | null, value: V | null, options: number | PipeOptions = {}): Promise<void> {
    const encodedKey = key === null ? null : this.#key.encode(key)
    const encodedValue = value === null ? null : this.#value.encode(value)
    return this.pipeBytes(encodedKey, encodedValue, options)
  }

  /** Pipes bytes as they are: what another program, or a broken one, may have written. */
  pipeBytes(key: Buffer | null, value: Buffer | null, options: number | PipeOptions = {}): Promise<void> {
    const { timestamp, headers = [] } = typeof options === 'number' ? { timestamp: options } : options
    if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) {
      throw new UsageError(`a record for ${this.topic} has the timestamp ${timestamp}: give whole milliseconds`)
    }
    return this.#pipe({ key, value, timestamp, headers })
  }
}
