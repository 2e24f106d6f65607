// The injected world
export { writeFileAtomically } from './environment/atomic-file.ts'
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

// Bytes
export { crc32c } from './wire/crc32c.ts'
