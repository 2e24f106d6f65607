import { FileSystemError } from '../errors.ts'

const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space or move the directory to a larger disk, then start again',
  EDQUOT: 'the disk quota is used up: free some space or raise the quota, then start again',
  EROFS: 'the file system is read-only: mount it writable or open another directory',
  EACCES: 'permission denied: give this user read and write access, or open another directory',
  EPERM: 'the operating system does not permit it: check owner and permissions, or open another directory',
  EIO: 'the disk reported an error: check the drive and the system log, and restore from a replica or a backup if it persists',
  EMFILE: 'too many open files: raise the limit (ulimit -n) or open fewer partitions in this process',
  ENFILE: 'the system has too many open files: raise the system-wide limit',
  ENOENT: 'no such file or directory',
  EEXIST: 'it exists already',
  EISDIR: 'it is a directory where a file was expected',
  ENOTDIR: 'a part of the path is a file where a directory was expected',
  ENOTEMPTY: 'the directory is not empty',
  EBADF: 'the file is closed, or was not opened for writing'
}

/** What failed: the operating system's code, the file, and the operation in a word or two (`write`, `sync directory`). */
export interface FileSystemFailure {
  readonly systemCode: string
  readonly path: string
  readonly operation: string
}

/** The error for a refused file operation; its message ends with what to do about the common codes. */
export function fileSystemError(failure: FileSystemFailure, cause?: unknown): FileSystemError {
  const { systemCode, path, operation } = failure
  const remedy = advice[systemCode] ?? 'the operating system refused it'
  const message = `cannot ${operation} ${path}: ${remedy} (${systemCode})`
  return new FileSystemError({ message, systemCode, path }, cause === undefined ? undefined : { cause })
}

/** The operating system's code of an error thrown by Node, or `EUNKNOWN`. */
export function systemCodeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code
  return 'EUNKNOWN'
}
