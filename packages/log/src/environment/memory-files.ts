import { posix } from 'node:path'
import { LockHeldError } from '../errors.ts'
import type { Clock, DirectoryEntry, FileHandle, FileLock, FileStat, FileSystem } from './environment.ts'
import { fileSystemError } from './file-system-failure.ts'
import { MemoryFile } from './memory-file.ts'
import { canonicalPath, MemoryDirectory, type MemoryName, MemoryTree } from './memory-tree.ts'

/** What is told to whoever wants to know what of an in-memory file system would survive: the simulated disk. */
export interface MemoryJournal {
  /** Before anything else of each operation; may throw in its place. `addedBytes` is by how much it makes a file longer. */
  before(operation: string, path: string, addedBytes: number): void
  linked(at: MemoryName, entry: MemoryFile | MemoryDirectory): void
  unlinked(at: MemoryName): void
  renamed(from: MemoryName, to: MemoryName, entry: MemoryFile | MemoryDirectory): void
  written(file: MemoryFile, position: number, bytes: Uint8Array): void
  truncated(file: MemoryFile, sizeBytes: number): void
  sync(target: MemoryFile | MemoryDirectory, path: string): Promise<void>
}

/** Without faults and power cuts, nothing is worth a note and a sync has nothing to wait for. */
const noJournal: MemoryJournal = {
  before: () => undefined,
  linked: () => undefined,
  unlinked: () => undefined,
  renamed: () => undefined,
  written: () => undefined,
  truncated: () => undefined,
  sync: () => Promise.resolve()
}

/** Files in memory, gone with the object. */
export class MemoryFiles implements FileSystem {
  readonly #clock: Clock
  readonly #journal: MemoryJournal
  readonly #tree: MemoryTree
  readonly #holders = new Map<string, string>()

  constructor(clock: Clock, options: { readonly root?: MemoryDirectory; readonly journal?: MemoryJournal } = {}) {
    this.#clock = clock
    this.#journal = options.journal ?? noJournal
    this.#tree = new MemoryTree(options.root)
  }

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    this.#journal.before('open', path, 0)
    const file = mode === 'read' ? this.#tree.file(path, 'open') : this.#openOrMake(path, mode === 'create')
    return new MemoryFileHandle(path, file, { clock: this.#clock, journal: this.#journal, writable: mode !== 'read' })
  }

  readFile(path: string): Buffer {
    this.#journal.before('read', path, 0)
    return this.#tree.file(path, 'read').contents()
  }

  exists(path: string): boolean {
    this.#journal.before('look at', path, 0)
    return this.#tree.find(path) !== undefined
  }

  list(path: string): DirectoryEntry[] {
    this.#journal.before('list', path, 0)
    return this.#tree.list(path)
  }

  stat(path: string): FileStat {
    this.#journal.before('look at', path, 0)
    const found = this.#tree.find(path)
    if (found === undefined) throw fileSystemError({ systemCode: 'ENOENT', path, operation: 'look at' })
    if (found instanceof MemoryDirectory) return { sizeBytes: 0, modifiedMs: 0, kind: 'directory' }
    return { sizeBytes: found.sizeBytes, modifiedMs: found.modifiedMs, kind: 'file' }
  }

  realPath(path: string): string {
    this.#journal.before('look at', path, 0)
    if (this.#tree.find(path) === undefined) throw fileSystemError({ systemCode: 'ENOENT', path, operation: 'look at' })
    return posix.resolve('/', path)
  }

  makeDirectory(path: string): void {
    this.#journal.before('make directory', path, 0)
    this.#tree.makeDirectory(path, (at, made) => this.#journal.linked(at, made))
  }

  rename(from: string, to: string): void {
    this.#journal.before('rename', from, 0)
    const source = this.#tree.parent(from, 'rename')
    const entry = source.directory.entries.get(source.name)
    if (entry === undefined) throw fileSystemError({ systemCode: 'ENOENT', path: from, operation: 'rename' })
    const target = this.#tree.parent(to, 'rename')
    refuseBadTarget(entry, target.directory.entries.get(target.name), to)
    source.directory.entries.delete(source.name)
    target.directory.entries.set(target.name, entry)
    this.#journal.renamed(source, target, entry)
  }

  remove(path: string): void {
    this.#journal.before('remove', path, 0)
    this.#tree.file(path, 'remove')
    this.#unlink(path, 'remove')
  }

  removeDirectory(path: string): void {
    this.#journal.before('remove directory', path, 0)
    if (this.#tree.find(path) !== undefined) this.#unlink(path, 'remove directory')
  }

  async syncDirectory(path: string): Promise<void> {
    this.#journal.before('sync directory', path, 0)
    await this.#journal.sync(this.#tree.directory(path, 'sync directory'), path)
  }

  lock(path: string, holder: string): FileLock {
    this.#journal.before('lock', path, 0)
    this.#tree.parent(path, 'lock')
    return takeLock(this.#holders, path, holder)
  }

  #openOrMake(path: string, exclusive: boolean): MemoryFile {
    const at = this.#tree.parent(path, 'open')
    const existing = at.directory.entries.get(at.name)
    if (existing instanceof MemoryDirectory) throw fileSystemError({ systemCode: 'EISDIR', path, operation: 'open' })
    if (existing !== undefined) {
      if (exclusive) throw fileSystemError({ systemCode: 'EEXIST', path, operation: 'create' })
      return existing
    }
    const file = new MemoryFile()
    file.modifiedMs = this.#clock.nowMs()
    at.directory.entries.set(at.name, file)
    this.#journal.linked(at, file)
    return file
  }

  #unlink(path: string, operation: string): void {
    const at = this.#tree.parent(path, operation)
    at.directory.entries.delete(at.name)
    this.#journal.unlinked(at)
  }
}

/** A file may replace a file and a directory an empty one. */
function refuseBadTarget(
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

function takeLock(holders: Map<string, string>, path: string, holder: string): FileLock {
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

interface HandleContext {
  readonly clock: Clock
  readonly journal: MemoryJournal
  readonly writable: boolean
}

class MemoryFileHandle implements FileHandle {
  readonly path: string
  readonly #file: MemoryFile
  readonly #context: HandleContext
  #closed = false

  constructor(path: string, file: MemoryFile, context: HandleContext) {
    this.path = path
    this.#file = file
    this.#context = context
  }

  size(): number {
    this.#begin('measure')
    return this.#file.sizeBytes
  }

  read(target: Uint8Array, position: number): number {
    this.#begin('read')
    return this.#file.read(target, position)
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    let at = position
    for (const chunk of chunks) {
      this.#beginChange('write', Math.max(0, at + chunk.length - this.#file.sizeBytes))
      this.#file.write(chunk, at)
      this.#context.journal.written(this.#file, at, chunk)
      at += chunk.length
    }
  }

  truncate(sizeBytes: number): void {
    this.#beginChange('truncate', Math.max(0, sizeBytes - this.#file.sizeBytes))
    this.#file.truncate(sizeBytes)
    this.#context.journal.truncated(this.#file, sizeBytes)
  }

  async datasync(): Promise<void> {
    this.#begin('sync')
    await this.#context.journal.sync(this.#file, this.path)
  }

  close(): void {
    this.#closed = true
  }

  #beginChange(operation: string, bytes: number): void {
    this.#begin(operation, bytes)
    if (!this.#context.writable) throw fileSystemError({ systemCode: 'EBADF', path: this.path, operation })
    this.#file.modifiedMs = this.#context.clock.nowMs()
  }

  #begin(operation: string, bytes = 0): void {
    this.#context.journal.before(operation, this.path, bytes)
    if (this.#closed) throw fileSystemError({ systemCode: 'EBADF', path: this.path, operation })
  }
}
