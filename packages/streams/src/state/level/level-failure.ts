import { FileSystemError, LockHeldError } from '@millrace/log'
import { StoreDamagedError } from '../errors.ts'

/** What the operating system said, as LevelDB's messages repeat it. */
const systemCodes: readonly (readonly [text: string, code: string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
  ['Permission denied', 'EACCES'],
  ['Too many open files', 'EMFILE']
]

/** LevelDB's error as one of ours: damage, a held lock, or the disk's. What is none of these stays what it is. */
export function levelFailure(path: string, error: unknown): unknown {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = 'code' in at ? at.code : undefined
    if (code === 'LEVEL_CORRUPTION') return new StoreDamagedError(path, at.message, { cause: error })
    if (code === 'LEVEL_LOCKED') return new LockHeldError(path, 'another process')
    if (code === 'LEVEL_IO_ERROR') return diskFailure(path, at.message, error)
  }
  return error
}

function diskFailure(path: string, message: string, cause: unknown): FileSystemError {
  const systemCode = systemCodes.find(([text]) => message.includes(text))?.[1] ?? 'EIO'
  const remedy = 'check the disk that holds the state (space, permissions, health), then start again'
  return new FileSystemError({ message: `state ${path}: ${message}: ${remedy}`, systemCode, path }, { cause })
}
