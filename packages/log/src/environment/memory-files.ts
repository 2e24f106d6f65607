import { LockHeldError } from '../errors.ts'
import type { Clock, DirectoryEntry, FileHandle, FileLock, FileStat, FileSystem } from './environment.ts'
import { fileSystemError } from './file-system-failure.ts'
import { MemoryFile } from './memory-file.ts'
import { canonicalPath, MemoryDirectory, MemoryTree } from './memory-tree.ts'

/** Files in memory, without faults: a sync has nothing to wait for, and all is gone with the object. */
export class MemoryFiles implements FileSystem {
  readonly #clock: Clock
  readonly #tree = new MemoryTree()
  readonly #holders = new Map<string, string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    if (mode === 'read') return new MemoryFileHandle(path, this.#tree.file(path, 'open'), undefined)
    const { directory, name } = this.#tree.parent(path, 'open')
    let file = directory.entries.get(name)
    if (file instanceof MemoryDirectory) throw fileSystemError({ systemCode: 'EISDIR', path, operation: 'open' })
    if (file !== undefined && mode === 'create') {
      throw fileSystemError({ systemCode: 'EEXIST', path, operation: 'create' })
    }
    if (file === undefined) {
      file = new MemoryFile()
      file.modifiedMs = this.#clock.nowMs()
      directory.entries.set(name, file)
    }
    return new MemoryFileHandle(path, file, this.#clock)
  }

  readFile(path: string): Buffer {
    return this.#tree.file(path, 'read').contents()
  }

  exists(path: string): boolean {
    return this.#tree.find(path) !== undefined
  }

  list(path: string): DirectoryEntry[] {
    return this.#tree.list(path)
  }

  stat(path: string): FileStat {
    const found = this.#tree.find(path)
    if (found === undefined) throw fileSystemError({ systemCode: 'ENOENT', path, operation: 'look at' })
    if (found instanceof MemoryDirectory) return { sizeBytes: 0, modifiedMs: 0, kind: 'directory' }
    return { sizeBytes: found.sizeBytes, modifiedMs: found.modifiedMs, kind: 'file' }
  }

  makeDirectory(path: string): void {
    this.#tree.makeDirectory(path, () => undefined)
  }

  rename(from: string, to: string): void {
    const source = this.#tree.parent(from, 'rename')
    const entry = source.directory.entries.get(source.name)
    if (entry === undefined) throw fileSystemError({ systemCode: 'ENOENT', path: from, operation: 'rename' })
    const target = this.#tree.parent(to, 'rename')
    refuseBadTarget(entry, target.directory.entries.get(target.name), to)
    source.directory.entries.delete(source.name)
    target.directory.entries.set(target.name, entry)
  }

  remove(path: string): void {
    this.#tree.file(path, 'remove')
    const { directory, name } = this.#tree.parent(path, 'remove')
    directory.entries.delete(name)
  }

  removeDirectory(path: string): void {
    if (this.#tree.find(path) === undefined) return
    const { directory, name } = this.#tree.parent(path, 'remove directory')
    directory.entries.delete(name)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#tree.directory(path, 'sync directory')
  }

  lock(path: string, holder: string): FileLock {
    this.#tree.parent(path, 'lock')
    return takeLock(this.#holders, path, holder)
  }
}

/** Whether `entry` may take the place of `existing`; a file may replace a file, nothing else may replace anything. */
export function refuseBadTarget(
  entry: MemoryFile | MemoryDirectory,
  existing: MemoryFile | MemoryDirectory | undefined,
  to: string
): void {
  if (existing === undefined || existing === entry) return
  const operation = 'rename to'
  if (entry instanceof MemoryDirectory) {
    if (existing instanceof MemoryFile) throw fileSystemError({ systemCode: 'ENOTDIR', path: to, operation })
    if (existing.entries.size > 0) throw fileSystemError({ systemCode: 'ENOTEMPTY', path: to, operation })
  } else if (existing instanceof MemoryDirectory) throw fileSystemError({ systemCode: 'EISDIR', path: to, operation })
}

/** A lock among those who share `holders`. */
export function takeLock(holders: Map<string, string>, path: string, holder: string): FileLock {
  const name = canonicalPath(path)
  const other = holders.get(name)
  if (other !== undefined) throw new LockHeldError(path, other)
  holders.set(name, holder)
  let held = true
  return {
    release: () => {
      if (held) holders.delete(name)
      held = false
    }
  }
}

class MemoryFileHandle implements FileHandle {
  readonly path: string
  readonly #file: MemoryFile
  /** Absent when the file was opened to be read only. */
  readonly #clock: Clock | undefined
  #closed = false

  constructor(path: string, file: MemoryFile, clock: Clock | undefined) {
    this.path = path
    this.#file = file
    this.#clock = clock
  }

  size(): number {
    this.#requireOpen('measure')
    return this.#file.sizeBytes
  }

  read(target: Uint8Array, position: number): number {
    this.#requireOpen('read')
    return this.#file.read(target, position)
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    this.#touch('write')
    let at = position
    for (const chunk of chunks) {
      this.#file.write(chunk, at)
      at += chunk.length
    }
  }

  truncate(sizeBytes: number): void {
    this.#touch('truncate')
    this.#file.truncate(sizeBytes)
  }

  async datasync(): Promise<void> {
    this.#requireOpen('sync')
  }

  close(): void {
    this.#closed = true
  }

  #touch(operation: string): void {
    this.#requireOpen(operation)
    if (this.#clock === undefined) throw fileSystemError({ systemCode: 'EBADF', path: this.path, operation })
    this.#file.modifiedMs = this.#clock.nowMs()
  }

  #requireOpen(operation: string): void {
    if (this.#closed) throw fileSystemError({ systemCode: 'EBADF', path: this.path, operation })
  }
}
