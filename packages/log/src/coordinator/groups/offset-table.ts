/** A committed position, as a record of `__consumer_offsets` says. */
export interface CommittedOffset {
  /** Offset of the next record to read. */
  readonly offset: number
  /** Leader epoch of the last record read; -1 when unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Milliseconds since the epoch. */
  readonly commitTimestampMs: number
  /** When it lapses, for the commits of old clients that said so; -1 for the others. */
  readonly expireTimestampMs: number
  /** Offset of the record itself. Of two commits the later record holds, whatever the order in which they are learned. */
  readonly recordOffset: number
}

/** A partition of a topic that a group reads. */
export interface OffsetKey {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

type Positions = Map<string, Map<number, CommittedOffset>>

/**
 * Committed offsets of all groups in one partition of `__consumer_offsets`, and those that open transactions hold back. The latter become
 * committed when the transaction's commit marker is in that partition, and are dropped at an abort marker.
 */
export class OffsetTable {
  readonly #committed = new Map<string, Positions>()
  /** By producer id, then group. */
  readonly #pending = new Map<number, Map<string, Positions>>()

  /** Learns a committed offset. */
  commit(key: OffsetKey, committed: CommittedOffset): void {
    const positions = entry(this.#committed, key.groupId, newPositions)
    const partitions = entry(positions, key.topic, newPartitions)
    const known = partitions.get(key.partition)
    if (known === undefined || known.recordOffset < committed.recordOffset) partitions.set(key.partition, committed)
  }

  /** Learns an offset that is part of a producer's open transaction. */
  hold(producerId: number, key: OffsetKey, committed: CommittedOffset): void {
    const groups = entry(this.#pending, producerId, newGroups)
    const positions = entry(groups, key.groupId, newPositions)
    entry(positions, key.topic, newPartitions).set(key.partition, committed)
  }

  /** The producer's transaction ended in this partition. Returns whether it held offsets. */
  endTransaction(producerId: number, commit: boolean): boolean {
    const groups = this.#pending.get(producerId)
    if (groups === undefined) return false
    this.#pending.delete(producerId)
    if (!commit) return true
    for (const [groupId, positions] of groups) {
      for (const [topic, partitions] of positions) {
        for (const [partition, committed] of partitions) this.commit({ groupId, topic, partition }, committed)
      }
    }
    return true
  }

  /** The committed offset, if there is one. */
  get(key: OffsetKey): CommittedOffset | undefined {
    return this.#committed.get(key.groupId)?.get(key.topic)?.get(key.partition)
  }

  /** Whether an open transaction may change the committed offset. */
  isHeld(key: OffsetKey): boolean {
    for (const groups of this.#pending.values()) {
      if (groups.get(key.groupId)?.get(key.topic)?.has(key.partition)) return true
    }
    return false
  }

  /** Whether any open transaction holds offsets of the group. */
  holdsOf(groupId: string): boolean {
    for (const groups of this.#pending.values()) if (groups.has(groupId)) return true
    return false
  }

  /** All partitions of which the group has a committed or held offset, by topic and sorted. */
  partitionsOf(groupId: string): Map<string, number[]> {
    const all = new Map<string, Set<number>>()
    const add = (positions: Positions | undefined): void => {
      for (const [topic, partitions] of positions ?? []) {
        const indexes = entry(all, topic, () => new Set<number>())
        for (const partition of partitions.keys()) indexes.add(partition)
      }
    }
    add(this.#committed.get(groupId))
    for (const groups of this.#pending.values()) add(groups.get(groupId))
    return new Map([...all].map(([topic, indexes]) => [topic, [...indexes].sort((a, b) => a - b)]))
  }

  /** Forgets a committed offset. */
  remove(key: OffsetKey): void {
    const positions = this.#committed.get(key.groupId)
    const partitions = positions?.get(key.topic)
    partitions?.delete(key.partition)
    if (partitions?.size === 0) positions?.delete(key.topic)
    if (positions?.size === 0) this.#committed.delete(key.groupId)
  }

  /** Ids of all groups with committed offsets. */
  groupIds(): string[] {
    return [...this.#committed.keys()]
  }

  /** All committed offsets of a group. */
  *committedOf(groupId: string): Generator<readonly [OffsetKey, CommittedOffset]> {
    for (const [topic, partitions] of this.#committed.get(groupId) ?? []) {
      for (const [partition, committed] of partitions) yield [{ groupId, topic, partition }, committed]
    }
  }
}

const newGroups = (): Map<string, Positions> => new Map()
const newPositions = (): Positions => new Map()
const newPartitions = (): Map<number, CommittedOffset> => new Map()

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key)
  if (present !== undefined) return present
  const made = make()
  map.set(key, made)
  return made
}
