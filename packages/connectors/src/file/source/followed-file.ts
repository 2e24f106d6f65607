import { posix } from 'node:path'
import type { FileSystem } from '@millrace/log'
import type { ConnectorEvent } from '../../connector-event.ts'
import { SourceFileError } from '../errors.ts'
import { shrank } from './chunks.ts'
import { fileVersion, identifyFile, recognize } from './file-identity.ts'
import { type FilePosition, startOf } from './file-position.ts'
import { type LineBatch, readLines } from './lines.ts'

/** How files are followed. */
export interface FollowOptions {
  /** Whether a file's end is its end: then a last line without a line end counts. */
  readonly untilEnd: boolean
  /** What to do when another file is at the path. */
  readonly rotation: 'follow' | 'fail'
  readonly batchLines: number
  readonly longestLineBytes: number
  readonly report: (event: ConnectorEvent) => void
}

/**
 * One path, read line by line as its file grows. When the file was renamed and another has taken its place, what is left of the old one is read under
 * its new name first.
 */
export class FollowedFile {
  readonly path: string
  readonly #files: FileSystem
  readonly #options: FollowOptions
  #position: FilePosition | undefined
  #reading: AsyncGenerator<LineBatch, void, undefined> | undefined
  /** As of the last time it was read to its end. */
  #readVersion: string | undefined
  /** Where the file at hand is, when it was moved away: what came to the path after it comes next. */
  #moved: string | undefined

  /** @param path real path. @param position committed one, if something of the path was read before. */
  constructor(
    files: FileSystem,
    path: string,
    options: FollowOptions & { readonly position: FilePosition | undefined }
  ) {
    this.#files = files
    this.path = path
    this.#options = options
    this.#position = options.position
  }

  /** What was given out so far. Only after a `next` that gave lines. */
  get position(): FilePosition | undefined {
    return this.#position
  }

  /**
   * The next lines, at most `batchLines`; undefined at the end of the file, where the others have their turn.
   * @throws SourceFileError
   */
  async next(): Promise<LineBatch | undefined> {
    for (;;) {
      this.#reading ??= await this.#startReading()
      if (this.#reading === undefined) return undefined
      const { value: batch } = await this.#reading.next()
      if (batch !== undefined) return batch
      this.#reading = undefined
      if (this.#moved === undefined) return undefined
    }
  }

  /** The lines given last made these records. */
  advance(batch: LineBatch, records: FilePosition['records']): FilePosition {
    const before = this.#position ?? startOf({ hash: '', hashedBytes: 0 })
    this.#position = {
      ...before,
      position: batch.position,
      lines: before.lines + batch.lines.length,
      allLines: before.allLines + batch.lines.length,
      records
    }
    return this.#position
  }

  /** Stops reading; nothing is held open afterwards. */
  async close(): Promise<void> {
    await this.#reading?.return()
    this.#reading = undefined
  }

  /** Where there is something new to read, begins to. */
  async #startReading(): Promise<AsyncGenerator<LineBatch, void, undefined> | undefined> {
    if (this.#options.rotation === 'follow' && this.#readVersion !== undefined && !this.#files.exists(this.path))
      return undefined
    const version = this.#version()
    if (this.#moved === undefined && version === this.#readVersion) return undefined
    this.#readVersion = version
    const moved = await this.#takeFile()
    return readLines(this.#files, moved ?? this.path, {
      position: this.#position?.position ?? 0,
      takeRest: this.#options.untilEnd || moved !== undefined,
      batchLines: this.#options.batchLines,
      longestLineBytes: this.#options.longestLineBytes
    })
  }

  /** Finds out which file to go on with; returns its path when it is not at the followed one any more. */
  async #takeFile(): Promise<string | undefined> {
    if (this.#position === undefined) return this.#begin(undefined)
    if (this.#moved !== undefined) return this.#begin(await this.#findNext(this.#moved))
    const identity = await recognize(this.#files, this.path, this.#position)
    if (identity !== undefined) {
      this.#position = { ...this.#position, ...identity }
      return undefined
    }
    if (this.#options.rotation === 'fail') throw this.#replaced(this.#position)
    this.#moved = await this.#findMoved(this.#position)
    if (this.#moved === undefined) this.#reportMissing(this.#position)
    return this.#moved ?? this.#begin(undefined)
  }

  /** Goes on with the next file from its start: a moved one, or the one at the path. */
  async #begin(moved: string | undefined): Promise<string | undefined> {
    this.#moved = moved
    this.#position = startOf(await identifyFile(this.#files, moved ?? this.path), this.#position)
    return moved
  }

  #reportMissing({ position }: FilePosition): void {
    this.#options.report({
      level: 'warning',
      code: 'rotated-file-missing',
      message: `${this.path} was replaced, and the file that was read to byte ${position} is not beside it: what was written to it since is not read`
    })
  }

  #replaced({ position }: FilePosition): SourceFileError {
    const { sizeBytes } = this.#files.stat(this.path)
    if (sizeBytes < position) return shrank(this.path, position, sizeBytes)
    const problem =
      'it was replaced: it begins with other bytes than the file that was read under this path. Give the new file another name'
    return new SourceFileError(this.path, problem)
  }

  /** The file that was at the path, beside it under a longer name, as programs that rotate logs leave it. */
  async #findMoved(known: FilePosition): Promise<string | undefined> {
    for (const { path } of this.#besides()) {
      if ((await recognize(this.#files, path, known)) !== undefined) return path
    }
    return undefined
  }

  /** The file that came to the path after one that was moved, if it was moved too: the next one that was written to last. */
  async #findNext(moved: string): Promise<string | undefined> {
    const { modifiedMs } = this.#files.stat(moved)
    const current = await identifyFile(this.#files, this.path)
    const later = this.#besides().filter((file) => file.modifiedMs > modifiedMs && file.path !== moved)
    for (const { path } of later.toSorted((one, other) => one.modifiedMs - other.modifiedMs)) {
      if ((await recognize(this.#files, path, current)) === undefined) return path
    }
    return undefined
  }

  /** The files whose names begin as the followed one's. */
  #besides(): { readonly path: string; readonly modifiedMs: number }[] {
    const directory = posix.dirname(this.path)
    const name = posix.basename(this.path)
    return this.#files
      .list(directory)
      .filter((entry) => entry.kind === 'file' && entry.name !== name && entry.name.startsWith(name))
      .map((entry) => posix.join(directory, entry.name))
      .map((path) => ({ path, modifiedMs: this.#files.stat(path).modifiedMs }))
  }

  #version(): string {
    try {
      return fileVersion(this.#files, this.path)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      throw new SourceFileError(this.path, `cannot be opened (${detail}). Check the path`, { cause: error })
    }
  }
}
