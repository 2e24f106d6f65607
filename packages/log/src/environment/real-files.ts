import {
  close,
  constants,
  existsSync,
  fsync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { DirectoryEntry, FileHandle, FileStat, FileSystem } from './environment.ts'
import { fileSystemError, systemCodeOf } from './file-system-failure.ts'
import { RealFileHandle } from './real-file-handle.ts'
import { lockFile } from './real-lock.ts'

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = constants
const openFlags = { read: O_RDONLY, write: O_RDWR | O_CREAT, create: O_RDWR | O_CREAT | O_EXCL }

const openDirectory = promisify(open)
const syncDescriptor = promisify(fsync)
const closeDescriptor = promisify(close)

/** The operating system's files. */
export const realFiles: FileSystem = {
  open: (path, mode): FileHandle =>
    attempt('open', path, () => new RealFileHandle(path, openSync(path, openFlags[mode], 0o644))),
  readFile: (path) => attempt('read', path, () => readFileSync(path)),
  exists: (path) => existsSync(path),
  list: (path) => attempt('list', path, () => listDirectory(path)),
  stat: (path) => attempt('look at', path, () => statFile(path)),
  realPath: (path) => attempt('look at', path, () => realpathSync(path)),
  makeDirectory: (path) => {
    attempt('make directory', path, () => makeDirectory(path))
  },
  rename: (from, to) => attempt('rename', from, () => renameSync(from, to)),
  remove: (path) => attempt('remove', path, () => unlinkSync(path)),
  removeDirectory: (path) => attempt('remove directory', path, () => rmSync(path, { recursive: true, force: true })),
  syncDirectory: (path) => syncDirectory(path),
  lock: (path, holder) => lockFile(path, holder)
}

/** Step by step: Node's `recursive` tries for ever where a file system that exists, such as /proc, takes no new directories. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeDirectory(dirname(path))
    makeDirectory(path)
  }
}

function listDirectory(path: string): DirectoryEntry[] {
  return readdirSync(path, { withFileTypes: true })
    .map((entry): DirectoryEntry => ({ name: entry.name, kind: entry.isDirectory() ? 'directory' : 'file' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function statFile(path: string): FileStat {
  const stat = statSync(path)
  const kind = stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : 'other'
  return { sizeBytes: stat.size, modifiedMs: Math.trunc(stat.mtimeMs), kind }
}

/** Windows has no handle on a directory to sync: NTFS journals names by itself. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  try {
    const descriptor = await openDirectory(path, O_RDONLY)
    try {
      await syncDescriptor(descriptor)
    } finally {
      await closeDescriptor(descriptor)
    }
  } catch (error) {
    throw fileSystemError({ systemCode: systemCodeOf(error), path, operation: 'sync directory' }, error)
  }
}

function attempt<T>(operation: string, path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw fileSystemError({ systemCode: systemCodeOf(error), path, operation }, error)
  }
}
