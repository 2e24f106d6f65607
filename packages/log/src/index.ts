// Opening a log
export type { BrokerConfig } from './broker/broker-config.ts'
export type { PartitionCompaction } from './broker/cleaner-job.ts'
export type { BrokerEvent, OnBrokerEvent } from './broker/event.ts'
// Client
export type { AdminOptions, ClusterDescription } from './client/admin/admin.ts'
export { Admin } from './client/admin/admin.ts'
export type { ConfigEntry, ConfigResource } from './client/admin/config-admin.ts'
export type { GroupDescription, GroupMember } from './client/admin/group-admin.ts'
export type { DeletionPoint } from './client/admin/record-admin.ts'
export type { TopicOutcome, TopicToCreate } from './client/admin/topic-admin.ts'
export type { ClientContext } from './client/client-context.ts'
export { createClientContext } from './client/client-context.ts'
export type { PartitionMetadata, TopicMetadata } from './client/cluster-metadata.ts'
export type { AssignableMember, Assignor, MemberAssignment } from './client/consumer/assignor.ts'
export { cooperativeStickyAssignor, rangeAssignor, roundRobinAssignor } from './client/consumer/assignor.ts'
export { Consumer } from './client/consumer/consumer.ts'
export type { ConsumerOptions, FetchedPartition, OffsetReset } from './client/consumer/consumer-options.ts'
export type { SubscribeOptions } from './client/consumer/group-membership.ts'
export {
  AbortableTransactionError,
  BufferFullError,
  ClientTimeoutError,
  CommitRefusedError,
  CorruptBatchError,
  DeliveryError,
  FatalProducerError,
  GroupMembershipError,
  OffsetOutOfRangeError,
  ProducerFencedError,
  RecordTooLargeError,
  TopicExistsError,
  TransactionAbortedError,
  UnknownOutcomeError,
  UnknownPartitionError,
  UnknownTopicError
} from './client/errors.ts'
export type { CommittedOffset, GroupMetadata, GroupOffset } from './client/group-offset.ts'
export type { IsolationLevel, ListedOffset, OffsetQuery } from './client/list-offsets.ts'
export { Producer } from './client/producer/producer.ts'
export type { ProducerOptions, ProducerRecord, RecordMetadata } from './client/producer/producer-options.ts'
export type { TopicPartition } from './client/topic-partition.ts'
export { partitionKey } from './client/topic-partition.ts'
// The injected world
export { writeFileAtomically } from './environment/atomic-file.ts'
export { makeDirectoryDurably } from './environment/durable-directory.ts'
export type {
  Clock,
  Connection,
  DirectoryEntry,
  Environment,
  FileHandle,
  FileLock,
  FileStat,
  FileSystem,
  Listener,
  Network,
  NetworkAddress,
  RandomSource,
  Timer,
  Timers
} from './environment/environment.ts'
export { memoryEnvironment } from './environment/memory-environment.ts'
export { realEnvironment } from './environment/real-environment.ts'
export { sha256 } from './environment/sha256.ts'
export { Wakeup } from './environment/wakeup.ts'
export {
  CorruptionError,
  FileSystemError,
  FormatVersionError,
  InvariantError,
  LockHeldError,
  MillraceError,
  NetworkError,
  UsageError
} from './errors.ts'
export { type Log, type OpenLogOptions, openLog } from './open-log.ts'
export type { CompactionBacklog } from './storage/cleaner/compaction-backlog.ts'
export { UncleanableError } from './storage/cleaner/errors.ts'
export type { CleanReport } from './storage/cleaner/log-cleaner.ts'
export type { DamageKind, DamageReport } from './storage/damage.ts'
export { LogDirectoryFailedError } from './storage/errors.ts'
export type { BuilderOptions, BuildOptions } from './wire/batch/batch-builder.ts'
// Bytes
export { RecordBatchBuilder } from './wire/batch/batch-builder.ts'
export { decodeBatches, RecordBatch, validateBatch } from './wire/batch/record-batch.ts'
export type { Header } from './wire/batch/record-cursor.ts'
export { NO_HEADERS, RecordCursor } from './wire/batch/record-cursor.ts'
export { DecodeError } from './wire/codec.ts'
export type { Compression } from './wire/compression/compression.ts'
export { DecompressionLimitError } from './wire/compression/compression.ts'
export { crc32c, extendCrc32c } from './wire/crc32c.ts'
export type { ErrorName } from './wire/errors.ts'
export { ErrorCode, ProtocolError } from './wire/errors.ts'
export { murmur2, partitionForKey } from './wire/murmur2.ts'
export { ZERO_UUID } from './wire/schema.ts'
