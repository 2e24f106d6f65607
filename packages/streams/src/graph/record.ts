/** A header: key and value bytes. Keys may repeat and keep their order. */
export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

/** Where a record came from. */
export interface RecordOrigin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * One record on its way through a topology. Immutable: a step that changes something makes a new one. It is also what callbacks get as
 * their second argument.
 */
export class StreamRecord<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  /** Event time, milliseconds since the epoch. */
  readonly timestamp: number
  readonly headers: readonly Header[]
  readonly origin: RecordOrigin

  constructor(key: K, value: V, timestamp: number, headers: readonly Header[], origin: RecordOrigin) {
    this.key = key
    this.value = value
    this.timestamp = timestamp
    this.headers = headers
    this.origin = origin
  }

  get topic(): string {
    return this.origin.topic
  }

  get partition(): number {
    return this.origin.partition
  }

  get offset(): number {
    return this.origin.offset
  }

  withKey<K2>(key: K2): StreamRecord<K2, V> {
    return new StreamRecord(key, this.value, this.timestamp, this.headers, this.origin)
  }

  withValue<V2>(value: V2): StreamRecord<K, V2> {
    return new StreamRecord(this.key, value, this.timestamp, this.headers, this.origin)
  }

  with<K2, V2>(key: K2, value: V2, timestamp: number): StreamRecord<K2, V2> {
    return new StreamRecord(key, value, timestamp, this.headers, this.origin)
  }
}
