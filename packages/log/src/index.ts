export {
  CorruptionError,
  FileSystemError,
  FormatVersionError,
  InvariantError,
  LockHeldError,
  MillraceError,
  UsageError
} from './errors.ts'
