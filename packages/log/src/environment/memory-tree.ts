import { posix } from 'node:path'
import type { DirectoryEntry } from './environment.ts'
import { fileSystemError } from './file-system-failure.ts'
import { MemoryFile } from './memory-file.ts'

/** A directory in memory: its names and what they stand for. */
export class MemoryDirectory {
  readonly entries = new Map<string, MemoryFile | MemoryDirectory>()
}

/** A place in a directory, whether something is there or not. */
export interface MemoryName {
  readonly directory: MemoryDirectory
  readonly name: string
}

/** The names of an in-memory file system. Paths are absolute or relative to the root; `/` separates. */
export class MemoryTree {
  readonly root: MemoryDirectory

  constructor(root = new MemoryDirectory()) {
    this.root = root
  }

  find(path: string): MemoryFile | MemoryDirectory | undefined {
    let at: MemoryFile | MemoryDirectory | undefined = this.root
    for (const name of namesOf(path)) {
      if (!(at instanceof MemoryDirectory)) return undefined
      at = at.entries.get(name)
    }
    return at
  }

  file(path: string, operation: string): MemoryFile {
    const found = this.find(path)
    if (found instanceof MemoryFile) return found
    throw fileSystemError({ systemCode: found === undefined ? 'ENOENT' : 'EISDIR', path, operation })
  }

  directory(path: string, operation: string): MemoryDirectory {
    const found = this.find(path)
    if (found instanceof MemoryDirectory) return found
    throw fileSystemError({ systemCode: found === undefined ? 'ENOENT' : 'ENOTDIR', path, operation })
  }

  /** The directory that holds `path`, and its last name. */
  parent(path: string, operation: string): MemoryName {
    const names = namesOf(path)
    const name = names.pop()
    if (name === undefined) throw fileSystemError({ systemCode: 'EISDIR', path, operation })
    return { directory: this.directory(`/${names.join('/')}`, operation), name }
  }

  /** Makes `path` and its missing parents; `made` is called with each new one and its place. */
  makeDirectory(path: string, made: (at: MemoryName, directory: MemoryDirectory) => void): void {
    let at = this.root
    for (const name of namesOf(path)) {
      let next = at.entries.get(name)
      if (next instanceof MemoryFile) throw fileSystemError({ systemCode: 'EEXIST', path, operation: 'make directory' })
      if (next === undefined) {
        next = new MemoryDirectory()
        at.entries.set(name, next)
        made({ directory: at, name }, next)
      }
      at = next
    }
  }

  list(path: string): DirectoryEntry[] {
    return [...this.directory(path, 'list').entries]
      .map(([name, entry]): DirectoryEntry => ({ name, kind: entry instanceof MemoryFile ? 'file' : 'directory' }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

/** The one spelling of a path: absolute, without `.`, `..` and trailing slash. */
export function canonicalPath(path: string): string {
  return posix.resolve('/', path)
}

function namesOf(path: string): string[] {
  return canonicalPath(path)
    .split('/')
    .filter((name) => name !== '')
}
