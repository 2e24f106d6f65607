import type { Partition } from '../../partition/partition.ts'

/** Topic that keeps committed offsets and group metadata. */
export const OFFSETS_TOPIC = '__consumer_offsets'
/** Topic that keeps the state of transactional ids. */
export const TRANSACTIONS_TOPIC = '__transaction_state'

/** A topic that a coordinator writes its state to. */
export type InternalTopic = typeof OFFSETS_TOPIC | typeof TRANSACTIONS_TOPIC

/** What the coordinators need of the rest of the broker: the partitions it leads, and the internal topics made on first use. */
export interface PartitionDirectory {
  /** The partition, if this broker leads it and it is open for appends. */
  get(topic: string, partition: number): Partition | undefined
  /** Number of partitions of the topic; 0 when it does not exist. */
  partitionCount(topic: string): number
  /**
   * Makes the internal topic if it is missing: compacted, with the broker's configured partition count. Resolves once its partitions
   * take appends. Concurrent calls share one creation.
   */
  ensureInternalTopic(topic: InternalTopic): Promise<void>
}
