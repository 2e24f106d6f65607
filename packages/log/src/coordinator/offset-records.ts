import { decodeStruct, encodeStruct } from '../wire/codec.ts'
import { array, bytes, type Infer, int32, int64, string, struct, uuid } from '../wire/schema.ts'
import type { CommittedOffset, OffsetKey } from './groups/offset-table.ts'
import { versionOf, withVersion } from './versioned-bytes.ts'

/**
 * Records of `__consumer_offsets`. Key and value each begin with their version as an int16. Keys 0 and 1 name a committed offset, key 2 a
 * group of the classic protocol; a null value is a tombstone. Other keys (the newer group protocol) are left alone.
 */
const offsetKeySchema = struct({ group: string('0+'), topic: string('0+'), partition: int32('0+') })
const groupKeySchema = struct({ group: string('0+') })

const offsetValueSchema = struct({
  offset: int64('0+'),
  leaderEpoch: int32('3+', { default: -1 }),
  metadata: string('0+'),
  commitTimestamp: int64('0+'),
  expireTimestamp: int64('1', { default: -1 }),
  topicId: uuid('4+', { tag: 0 })
})

const groupValueSchema = struct({
  protocolType: string('0+'),
  generation: int32('0+'),
  protocol: string('0+', { nullable: '0+' }),
  leader: string('0+', { nullable: '0+' }),
  currentStateTimestamp: int64('2+', { default: -1 }),
  members: array(
    '0+',
    struct({
      memberId: string('0+'),
      groupInstanceId: string('3+', { nullable: '3+', default: null }),
      clientId: string('0+'),
      clientHost: string('0+'),
      rebalanceTimeout: int32('1+'),
      sessionTimeout: int32('0+'),
      subscription: bytes('0+'),
      assignment: bytes('0+')
    })
  )
})

/** What is logged of a group. */
export type GroupMetadata = Infer<typeof groupValueSchema>

/** What a key of `__consumer_offsets` names. */
export type OffsetsTopicKey =
  | { readonly kind: 'offset'; readonly key: OffsetKey }
  | { readonly kind: 'group'; readonly groupId: string }
  /** A record of a newer kind. */
  | { readonly kind: 'other'; readonly version: number }

const OFFSET_KEY_VERSION = 1
const GROUP_KEY_VERSION = 2
/** Versions of the values as Kafka writes them: the newest that are not flexible, so that older brokers read them too. */
const VALUE_VERSION = 3
const FIRST_FLEXIBLE_VALUE = 4

/** Key of a committed offset. */
export function encodeOffsetKey({ groupId, topic, partition }: OffsetKey): Buffer {
  return withVersion(OFFSET_KEY_VERSION, encodeStruct(offsetKeySchema, 1, false, { group: groupId, topic, partition }))
}

/** Value of a committed offset. */
export function encodeOffsetValue(committed: Omit<CommittedOffset, 'recordOffset'>): Buffer {
  const expires = committed.expireTimestampMs !== -1
  // Only version 1 has the time at which an old client wants its commit to lapse.
  const version = expires ? 1 : VALUE_VERSION
  const value = {
    offset: committed.offset,
    leaderEpoch: committed.leaderEpoch,
    metadata: committed.metadata,
    commitTimestamp: committed.commitTimestampMs,
    expireTimestamp: committed.expireTimestampMs,
    topicId: ''
  }
  return withVersion(version, encodeStruct(offsetValueSchema, version, false, value))
}

/** Key of a group. */
export function encodeGroupKey(groupId: string): Buffer {
  return withVersion(GROUP_KEY_VERSION, encodeStruct(groupKeySchema, GROUP_KEY_VERSION, false, { group: groupId }))
}

/** Value of a group. */
export function encodeGroupValue(metadata: GroupMetadata): Buffer {
  return withVersion(VALUE_VERSION, encodeStruct(groupValueSchema, VALUE_VERSION, false, metadata))
}

/** @throws DecodeError */
export function decodeOffsetsTopicKey(key: Buffer): OffsetsTopicKey {
  const version = versionOf(key, '__consumer_offsets')
  if (version <= OFFSET_KEY_VERSION) {
    const { group, topic, partition } = decodeStruct(offsetKeySchema, version, false, key.subarray(2))
    return { kind: 'offset', key: { groupId: group, topic, partition } }
  }
  if (version === GROUP_KEY_VERSION) {
    return { kind: 'group', groupId: decodeStruct(groupKeySchema, version, false, key.subarray(2)).group }
  }
  return { kind: 'other', version }
}

/** @param recordOffset where the record is. @throws DecodeError */
export function decodeOffsetValue(value: Buffer, recordOffset: number): CommittedOffset {
  const version = versionOf(value, '__consumer_offsets')
  const fields = decodeStruct(offsetValueSchema, version, version >= FIRST_FLEXIBLE_VALUE, value.subarray(2))
  return {
    offset: fields.offset,
    leaderEpoch: fields.leaderEpoch,
    metadata: fields.metadata,
    commitTimestampMs: fields.commitTimestamp,
    expireTimestampMs: fields.expireTimestamp,
    recordOffset
  }
}

/** @throws DecodeError */
export function decodeGroupValue(value: Buffer): GroupMetadata {
  const version = versionOf(value, '__consumer_offsets')
  return decodeStruct(groupValueSchema, version, version >= FIRST_FLEXIBLE_VALUE, value.subarray(2))
}
