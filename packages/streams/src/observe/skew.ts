/** How unevenly an application's input is spread, as this instance saw it since its start. */
export interface SkewReport {
  readonly topics: readonly TopicSkew[]
}

/** One topic that is read: a source's, or a repartition topic. */
export interface TopicSkew {
  /** Full name. */
  readonly topic: string
  /** The node that reads it. */
  readonly source: string
  readonly subtopology: number
  /** Those read here, the one with most records first. */
  readonly partitions: readonly PartitionLoad[]
  /** Records of the largest partition, as a multiple of the mean of those read here: 1 is even. */
  readonly imbalance: number
  /** The most frequent keys of late, the hottest first: those with more than one record in a hundred. */
  readonly hotKeys: readonly HotKey[]
}

/** How much came from a partition. */
export interface PartitionLoad {
  readonly partition: number
  readonly records: number
  /** On the log, so compressed if they are. */
  readonly bytes: number
  /** Of the topic's records read here, from 0 to 1. */
  readonly share: number
}

/** A key and what part of the topic's records is its. */
export interface HotKey {
  /** Null: records without a key. Bytes, where the key's serde cannot read them. */
  readonly key: unknown
  /** From 0 to 1, of the records looked at. An upper bound. */
  readonly share: number
  /** A lower bound. */
  readonly shareAtLeast: number
}
