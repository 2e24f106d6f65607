import { ByteReader } from '../wire/codec/reader.ts'
import { encodeStruct, readStruct, withDefaults } from '../wire/codec.ts'
import type { Infer, PartialOf, Struct } from '../wire/schema.ts'
import * as schemas from './metadata-schemas.ts'

/** The records of `__cluster_metadata` that we write or understand: API key, the version we write, the newest we read. */
const kinds = {
  registerBroker: { key: 0, writes: 3, reads: 3, body: schemas.registerBrokerSchema },
  unregisterBroker: { key: 1, writes: 0, reads: 0, body: schemas.unregisterBrokerSchema },
  topic: { key: 2, writes: 0, reads: 0, body: schemas.topicSchema },
  partition: { key: 3, writes: 1, reads: 2, body: schemas.partitionSchema },
  config: { key: 4, writes: 0, reads: 0, body: schemas.configSchema },
  partitionChange: { key: 5, writes: 1, reads: 2, body: schemas.partitionChangeSchema },
  fenceBroker: { key: 7, writes: 0, reads: 0, body: schemas.brokerFenceSchema },
  unfenceBroker: { key: 8, writes: 0, reads: 0, body: schemas.brokerFenceSchema },
  removeTopic: { key: 9, writes: 0, reads: 0, body: schemas.removeTopicSchema },
  featureLevel: { key: 12, writes: 0, reads: 0, body: schemas.featureLevelSchema },
  producerIds: { key: 15, writes: 0, reads: 0, body: schemas.producerIdsSchema },
  brokerRegistrationChange: { key: 17, writes: 0, reads: 2, body: schemas.brokerRegistrationChangeSchema },
  noOp: { key: 20, writes: 0, reads: 0, body: schemas.noOpSchema }
} as const

type Kinds = typeof kinds

/** Name of a kind of metadata record. */
export type MetadataRecordKind = keyof Kinds

/** The records of one kind. */
export type MetadataRecordOf<K extends MetadataRecordKind> = {
  readonly kind: K
  readonly body: Infer<Kinds[K]['body']>
}

/** Any metadata record. */
export type MetadataRecord = { [K in MetadataRecordKind]: MetadataRecordOf<K> }[MetadataRecordKind]

const FRAME_VERSION = 1

/** Kinds by API key; they are dense enough for an array. */
const kindByKey: (MetadataRecordKind | undefined)[] = []
for (const kind of Object.keys(kinds) as MetadataRecordKind[]) kindByKey[kinds[kind].key] = kind

/** Fills in the fields of a body that are left out with Kafka's defaults. */
export function metadataRecord<K extends MetadataRecordKind>(
  kind: K,
  body: PartialOf<MetadataRecordOf<K>['body']>
): MetadataRecordOf<K> {
  const struct: Struct = kinds[kind].body
  return { kind, body: withDefaults(struct, body as PartialOf<Infer<Struct>>) } as MetadataRecordOf<K>
}

/** The value of a record of `__cluster_metadata`: frame version, API key and version as varints, then the body. */
export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  const { key, writes, body } = kinds[record.kind]
  const struct: Struct = body
  return Buffer.concat([Buffer.from([FRAME_VERSION, key, writes]), encodeStruct(struct, writes, true, record.body)])
}

/**
 * Reads the value of a record of `__cluster_metadata`.
 * @returns undefined for a kind that we do not know; what it says does not concern us.
 * @throws DecodeError when the bytes are no such record, or of a version that we cannot read.
 */
export function decodeMetadataRecord(value: Buffer): MetadataRecord | undefined {
  const reader = new ByteReader(value)
  const frameVersion = reader.uvarint()
  if (frameVersion !== FRAME_VERSION) reader.fail(`metadata frame version ${frameVersion}, not ${FRAME_VERSION}`)
  const key = reader.uvarint()
  const version = reader.uvarint()
  const kind = kindByKey[key]
  if (kind === undefined) return undefined
  const { reads, body } = kinds[kind]
  if (version > reads) reader.fail(`metadata record ${kind} of version ${version}: we read up to ${reads}`)
  const struct: Struct = body
  return { kind, body: readStruct(struct, { version, flexible: true }, reader) } as MetadataRecord
}
