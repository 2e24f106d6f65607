import { accessSync, constants, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { LockHeldError, UsageError } from '../errors.ts'
import type { FileLock } from './environment.ts'
import { fileSystemError, systemCodeOf } from './file-system-failure.ts'

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const busy = 5
const locked = 6
const notADatabase = 26

/**
 * Takes an exclusive lock on `path` that the operating system releases with the process. Node has no call for one, but SQLite, which it
 * brings, locks a file by the system's own means (`fcntl`, `LockFileEx`) and keeps an account of its own within the process, so a second
 * taker in the same process or in a worker is refused as well. Nothing is ever written to the file. It must not be opened by other
 * code: on POSIX, closing any descriptor of a file drops the process's locks on it. Who holds it is told in `<path>.holder`.
 * @throws LockHeldError naming the holder.
 * @throws FileSystemError when the file can not be made or opened.
 */
export function lockFile(path: string, holder: string): FileLock {
  const database = openLocked(path)
  const holderPath = `${path}.holder`
  try {
    writeFileSync(holderPath, holder)
  } catch (error) {
    database.close()
    throw fileSystemError({ systemCode: systemCodeOf(error), path: holderPath, operation: 'write' }, error)
  }
  return {
    release: () => {
      if (!database.isOpen) return
      rmSync(holderPath, { force: true })
      database.close()
    }
  }
}

function openLocked(path: string): DatabaseSync {
  try {
    return beginExclusive(path)
  } catch (error) {
    const result = resultCodeOf(error)
    if (result === busy || result === locked) throw new LockHeldError(path, readHolder(path))
    if (result !== notADatabase) throw unopenable(path, error)
  }
  // Somebody wrote into the lock file. It holds nothing, and this answer came after the lock was free.
  truncateSync(path, 0)
  return beginExclusive(path)
}

function beginExclusive(path: string): DatabaseSync {
  const Database = loadSqlite()
  const database = new Database(path, { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Node 24 warns that SQLite is experimental: nothing that a user of this project should read. */
function loadSqlite(): typeof DatabaseSync {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    const sqlite = process.getBuiltinModule('node:sqlite')
    if (sqlite === undefined)
      throw new UsageError('this Node has no node:sqlite, which locks directories: use Node 24 or newer')
    return sqlite.DatabaseSync
  } finally {
    process.emitWarning = emitWarning
  }
}

function resultCodeOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return -1
  return typeof error.errcode === 'number' ? error.errcode & 0xff : -1
}

function readHolder(path: string): string {
  try {
    return readFileSync(`${path}.holder`, 'utf8') || 'another process'
  } catch {
    return 'another process'
  }
}

/** SQLite only says that it can not open the file; the system says why. */
function unopenable(path: string, cause: unknown): Error {
  for (const [file, mode] of [
    [dirname(path), constants.W_OK | constants.X_OK],
    [path, constants.R_OK | constants.W_OK]
  ] as const) {
    try {
      accessSync(file, mode)
    } catch (error) {
      return fileSystemError({ systemCode: systemCodeOf(error), path, operation: 'lock' }, error)
    }
  }
  return fileSystemError({ systemCode: 'EIO', path, operation: 'lock' }, cause)
}
