import { emptyGroup, type Group } from '../../coordinator/groups/group.ts'
import { groupMetadata, restoreGroup } from '../../coordinator/groups/group-snapshot.ts'
import { type CommittedOffset, type OffsetKey, OffsetTable } from '../../coordinator/groups/offset-table.ts'
import {
  decodeGroupValue,
  decodeOffsetsTopicKey,
  decodeOffsetValue,
  encodeGroupKey,
  encodeGroupValue,
  encodeOffsetKey,
  encodeOffsetValue
} from '../../coordinator/offset-records.ts'
import type { Partition } from '../../partition/partition.ts'
import { controlRecord, endTransactionMarker } from '../../wire/batch/control-batch.ts'
import { StateLog, type StateRecord } from './state-log.ts'

/** One offset of a commit. */
export interface OffsetToCommit {
  readonly key: OffsetKey
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  /** When it lapses, milliseconds since the epoch; -1 to leave that to the broker's retention. */
  readonly expireTimestampMs: number
}

/** The producer of a transaction. */
export interface OffsetProducer {
  readonly producerId: number
  readonly producerEpoch: number
}

/** The groups and committed offsets of one partition of `__consumer_offsets`, and their log. */
export class GroupShard {
  readonly partition: Partition
  readonly groups = new Map<string, Group>()
  readonly offsets = new OffsetTable()
  readonly #log: StateLog

  /**
   * Reads the partition from start to end. @param nowMs when the sessions of the members found begin
   * @throws DecodeError, CorruptionError
   */
  constructor(partition: Partition, nowMs: number) {
    this.partition = partition
    this.#log = new StateLog(partition)
    const latest = this.#replay()
    for (const [groupId, value] of latest)
      this.groups.set(groupId, restoreGroup(groupId, decodeGroupValue(value), nowMs))
  }

  /** Learns all offsets; returns the last value of each group, undecoded. */
  #replay(): Map<string, Buffer> {
    const latest = new Map<string, Buffer>()
    for (const batch of this.#log.batches()) {
      if (batch.isControl) {
        const control = controlRecord(batch)
        const marker = control === undefined ? undefined : endTransactionMarker(control)
        if (marker !== undefined) this.offsets.endTransaction(batch.producerId, marker.commit)
        continue
      }
      const producerId = batch.isTransactional ? batch.producerId : undefined
      const cursor = batch.records()
      while (cursor.next()) {
        const key = cursor.key()
        if (key === null) continue
        const named = decodeOffsetsTopicKey(key)
        const value = cursor.value()
        if (named.kind === 'group') setOrDelete(latest, named.groupId, value)
        if (named.kind !== 'offset') continue
        if (value === null) this.offsets.remove(named.key)
        else this.#learn(named.key, decodeOffsetValue(value, cursor.offset), producerId)
      }
    }
    return latest
  }

  #learn(key: OffsetKey, committed: CommittedOffset, producerId: number | undefined): void {
    if (producerId === undefined) this.offsets.commit(key, committed)
    else this.offsets.hold(producerId, key, committed)
  }

  /** The group, made empty if it is missing. */
  group(groupId: string, nowMs: number): Group {
    const present = this.groups.get(groupId)
    if (present !== undefined) return present
    const group = emptyGroup(groupId, nowMs)
    this.groups.set(groupId, group)
    return group
  }

  /** Logs the group as it is now; resolves when that is committed. */
  persist(group: Group, timestampMs: number): Promise<void> {
    const record = { key: encodeGroupKey(group.groupId), value: encodeGroupValue(groupMetadata(group)) }
    return this.#log.write([record], { timestampMs }).committed
  }

  /**
   * Logs offsets. Without a producer they hold once they are committed; with one they are held until its transaction ends. Resolves when
   * the records are committed.
   */
  async commit(offsets: readonly OffsetToCommit[], timestampMs: number, producer?: OffsetProducer): Promise<void> {
    if (offsets.length === 0) return
    const commits = offsets.map((offset) => ({ ...offset, commitTimestampMs: timestampMs }))
    const records = commits.map((each) => ({ key: encodeOffsetKey(each.key), value: encodeOffsetValue(each) }))
    const { baseOffset, committed } = this.#log.write(records, {
      timestampMs,
      ...(producer === undefined ? {} : { producer })
    })
    const learn = (): void => {
      commits.forEach(({ key, ...committedOffset }, index) => {
        this.#learn(key, { ...committedOffset, recordOffset: baseOffset + index }, producer?.producerId)
      })
    }
    // Held at once, so that a reader that wants stable offsets learns of them; visible only when they cannot vanish.
    if (producer !== undefined) learn()
    await committed
    if (producer === undefined) learn()
  }

  /** Forgets offsets, and the group too when it is named. Resolves when that is committed. */
  async forget(keys: readonly OffsetKey[], groupId: string | undefined, timestampMs: number): Promise<void> {
    const tombstones: StateRecord[] = keys.map((key) => ({ key: encodeOffsetKey(key), value: null }))
    if (groupId !== undefined) tombstones.push({ key: encodeGroupKey(groupId), value: null })
    if (tombstones.length === 0) return
    const { committed } = this.#log.write(tombstones, { timestampMs })
    for (const key of keys) this.offsets.remove(key)
    if (groupId !== undefined) this.groups.delete(groupId)
    await committed
  }
}

function setOrDelete(map: Map<string, Buffer>, key: string, value: Buffer | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}
