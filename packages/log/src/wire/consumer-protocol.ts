import { ByteReader } from './codec/reader.ts'
import { encodeStruct, readStruct } from './codec.ts'
import { array, bytes, type Infer, int16, int32, string, struct } from './schema.ts'

const topicPartitions = struct({
  topic: string('0+'),
  partitions: array('0+', int32())
})

/** What a member of a consumer group tells the leader (`ConsumerProtocolSubscription`). */
const subscriptionSchema = struct({
  topics: array('0+', string()),
  userData: bytes('0+', { nullable: '0+', default: null }),
  ownedPartitions: array('1+', topicPartitions),
  generationId: int32('2+', { default: -1 }),
  rackId: string('3+', { nullable: '3+', default: null })
})

/** What the leader assigns to a member (`ConsumerProtocolAssignment`). */
const assignmentSchema = struct({
  assignedPartitions: array('0+', topicPartitions),
  userData: bytes('0+', { nullable: '0+', default: null })
})

const versionSchema = struct({ version: int16('0+') })
const NEWEST_VERSION = 3

/** A member's subscription: its topics, what its assignor adds, and what it owns (KIP-429, KIP-792, KIP-881). */
export type ConsumerSubscription = Infer<typeof subscriptionSchema>
/** A member's assignment. */
export type ConsumerAssignment = Infer<typeof assignmentSchema>

/** The bytes of a subscription for JoinGroup: a version (default 3) and the fields of that version. */
export function encodeSubscription(subscription: ConsumerSubscription, version: number = NEWEST_VERSION): Buffer {
  const prefix = encodeStruct(versionSchema, 0, false, { version })
  return Buffer.concat([prefix, encodeStruct(subscriptionSchema, version, false, subscription)])
}

/**
 * Reads a subscription of any version; one newer than 3 is read as far as 3 goes.
 * @throws DecodeError when the bytes are no subscription.
 */
export function decodeSubscription(encoded: Buffer): ConsumerSubscription {
  const reader = new ByteReader(encoded)
  return readStruct(subscriptionSchema, { version: readVersion(reader), flexible: false }, reader)
}

/** The bytes of an assignment for SyncGroup: a version (default 3) and the fields of that version. */
export function encodeAssignment(assignment: ConsumerAssignment, version: number = NEWEST_VERSION): Buffer {
  const prefix = encodeStruct(versionSchema, 0, false, { version })
  return Buffer.concat([prefix, encodeStruct(assignmentSchema, version, false, assignment)])
}

/**
 * Reads an assignment of any version. No bytes at all, as a member without partitions may get them, are an empty assignment.
 * @throws DecodeError when the bytes are no assignment.
 */
export function decodeAssignment(encoded: Buffer): ConsumerAssignment {
  if (encoded.length === 0) return { assignedPartitions: [], userData: null }
  const reader = new ByteReader(encoded)
  return readStruct(assignmentSchema, { version: readVersion(reader), flexible: false }, reader)
}

function readVersion(reader: ByteReader): number {
  const { version } = readStruct(versionSchema, { version: 0, flexible: false }, reader)
  if (version < 0) reader.fail(`version ${version} of the consumer protocol does not exist`)
  return Math.min(version, NEWEST_VERSION)
}
