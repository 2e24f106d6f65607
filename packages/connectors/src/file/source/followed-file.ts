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
  /** Whether the file at hand is one that was moved away, after which the one at the path comes. */
  #finishing = false

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
      if (!this.#finishing) return undefined
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
    if (!this.#finishing && version === this.#readVersion) return undefined
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
    if (this.#position === undefined || this.#finishing) {
      this.#finishing = false
      this.#position = startOf(await identifyFile(this.#files, this.path), this.#position)
      return undefined
    }
    const identity = await recognize(this.#files, this.path, this.#position)
    if (identity !== undefined) {
      this.#position = { ...this.#position, ...identity }
      return undefined
    }
    if (this.#options.rotation === 'fail') throw this.#replaced(this.#position)
    this.#finishing = true
    const moved = await this.#findMoved(this.#position)
    if (moved !== undefined) return moved
    this.#options.report({
      level: 'warning',
      code: 'rotated-file-missing',
      message: `${this.path} was replaced, and the file that was read to byte ${this.#position.position} is not beside it: what was written to it since is not read`
    })
    return this.#takeFile()
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
    const directory = posix.dirname(this.path)
    const name = posix.basename(this.path)
    for (const entry of this.#files.list(directory)) {
      const candidate = posix.join(directory, entry.name)
      if (entry.kind !== 'file' || candidate === this.path || !entry.name.startsWith(name)) continue
      if ((await recognize(this.#files, candidate, known)) !== undefined) return candidate
    }
    return undefined
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
