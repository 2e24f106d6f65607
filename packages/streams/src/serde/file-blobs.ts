import {
  type Environment,
  type FileSystem,
  FileSystemError,
  makeDirectoryDurably,
  realEnvironment
} from '@millrace/log'
import type { BlobStore, StoredBlob } from './blob-store.ts'

/** A blob that this process put is not written again for so long; its file's time says when it was put, to within that. */
const REWRITE_AFTER_MS = 60 * 60 * 1000
/** Names remembered as written; the oldest are forgotten, and written again if they come again. */
const MOST_REMEMBERED = 100_000

/**
 * Blobs as files, `<directory>/<first two digits>/<name>`. Each is written beside its place, synced and moved there, so that a name never stands for a
 * part of its bytes; several processes may use one directory. A file that was there before is not believed to be on the disk: it is
 * written again.
 */
export class FileBlobs implements BlobStore {
  readonly location: string
  readonly #environment: Environment
  /** Put and not yet written: read from here. */
  readonly #waiting = new Map<string, Buffer>()
  readonly #writtenAtMs = new Map<string, number>()
  readonly #directories = new Set<string>()
  #last: Promise<void> = Promise.resolve()

  /** The directory is made when an application starts, or with the first blob. */
  constructor(directory: string, environment: Environment = realEnvironment()) {
    this.location = directory
    this.#environment = environment
  }

  open(): Promise<void> {
    return makeDirectoryDurably(this.#files, this.location)
  }

  put(name: string, bytes: Buffer): void {
    const writtenAtMs = this.#writtenAtMs.get(name)
    if (writtenAtMs !== undefined && this.#nowMs() - writtenAtMs < REWRITE_AFTER_MS) return
    if (this.#waiting.has(name)) return
    this.#waiting.set(name, bytes)
    this.#last = this.#last.then(() => this.#write(name, bytes))
    // Whoever waits for `synced` is told.
    this.#last.catch(() => undefined)
  }

  get(name: string): Buffer | undefined {
    const waiting = this.#waiting.get(name)
    if (waiting !== undefined) return waiting
    try {
      return this.#files.readFile(this.#pathOf(name))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  synced(): Promise<void> {
    return this.#last
  }

  /** Files that a crash left half written are among them, under names of their own, to be removed as the others are. */
  *list(): Generator<StoredBlob> {
    if (!this.#files.exists(this.location)) return
    for (const { name: group, kind } of this.#files.list(this.location)) {
      if (kind !== 'directory') continue
      for (const { name } of this.#files.list(`${this.location}/${group}`)) {
        const found = this.#stat(`${this.location}/${group}/${name}`)
        if (found?.kind === 'file') yield { name, sizeBytes: found.sizeBytes, putAtMs: found.modifiedMs }
      }
    }
  }

  remove(name: string): void {
    this.#writtenAtMs.delete(name)
    try {
      this.#files.remove(this.#pathOf(name))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  get #files(): FileSystem {
    return this.#environment.files
  }

  #nowMs(): number {
    return this.#environment.clock.nowMs()
  }

  #directoryOf(name: string): string {
    return `${this.location}/${name.slice(0, 2)}`
  }

  #pathOf(name: string): string {
    return `${this.#directoryOf(name)}/${name}`
  }

  #stat(path: string) {
    try {
      return this.#files.stat(path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async #write(name: string, bytes: Buffer): Promise<void> {
    const directory = this.#directoryOf(name)
    if (!this.#directories.has(directory)) await makeDirectoryDurably(this.#files, directory)
    this.#directories.add(directory)
    // Another process may write the same blob at the same time.
    const temporary = `${this.#pathOf(name)}.${this.#environment.random.bytes(6).toString('hex')}.tmp`
    const file = this.#files.open(temporary, 'create')
    try {
      file.write([bytes], 0)
      await file.datasync()
    } finally {
      file.close()
    }
    this.#files.rename(temporary, this.#pathOf(name))
    await this.#files.syncDirectory(directory)
    this.#remember(name)
    this.#waiting.delete(name)
  }

  #remember(name: string): void {
    this.#writtenAtMs.delete(name)
    this.#writtenAtMs.set(name, this.#nowMs())
    if (this.#writtenAtMs.size <= MOST_REMEMBERED) return
    for (const oldest of this.#writtenAtMs.keys()) {
      this.#writtenAtMs.delete(oldest)
      return
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof FileSystemError && error.systemCode === 'ENOENT'
}
