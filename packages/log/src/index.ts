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
export type { BuilderOptions, BuildOptions } from './wire/batch/batch-builder.ts'
// Bytes
export { RecordBatchBuilder } from './wire/batch/batch-builder.ts'
export { decodeBatches, RecordBatch, validateBatch } from './wire/batch/record-batch.ts'
export type { Header } from './wire/batch/record-cursor.ts'
export { RecordCursor } from './wire/batch/record-cursor.ts'
export { DecodeError } from './wire/codec.ts'
export type { Compression } from './wire/compression/compression.ts'
export { DecompressionLimitError } from './wire/compression/compression.ts'
export { crc32c } from './wire/crc32c.ts'
export type { ErrorName } from './wire/errors.ts'
export { ErrorCode, ProtocolError } from './wire/errors.ts'
export { murmur2, partitionForKey } from './wire/murmur2.ts'
