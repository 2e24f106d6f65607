import { posix } from 'node:path'
import { type FileSystem, FileSystemError } from '@millrace/log'
import type { ConnectorEvent } from '../../connector-event.ts'
import { SourceFileError } from '../errors.ts'
import { shrank } from './chunks.ts'
import { type FileIdentity, fileVersion, identifyFile, recognize } from './file-identity.ts'
import { type FilePosition, startOf } from './file-position.ts'
import { type LineBatch, readLines } from './lines.ts'
import { type DatedFile, isRotatedName, oldestFirst, withoutCopies } from './rotated-names.ts'

/** How files are followed. */
export interface FollowOptions {
  /** Whether a file's end is its end: then a last line without a line end counts. */
  readonly untilEnd: boolean
  /** What to do when another file is at the path. */
  readonly rotation: 'follow' | 'fail'
  /** Which files that were rotated before anything was read are read too, the oldest first; undefined: none. */
  readonly history: ((path: string) => boolean) | undefined
  readonly batchLines: number
  readonly longestLineBytes: number
  readonly report: (event: ConnectorEvent) => void
}

type Reading = AsyncGenerator<LineBatch, void, undefined>

/** There is no file at the path, as for a moment while logs are rotated. */
const MISSING = 'missing'

/**
 * One path, read line by line as its file grows. When the file was renamed and another has taken its place, what is left of the old one is read under
 * its new name first.
 */
export class FollowedFile {
  readonly path: string
  readonly #files: FileSystem
  readonly #options: FollowOptions
  #position: FilePosition | undefined
  #reading: Reading | undefined
  /** What there was to read, the last time that it was. */
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
    try {
      return await this.#nextLines()
    } catch (error) {
      this.#reading = undefined
      this.#readVersion = undefined
      // Logs are being rotated: it is looked for again.
      if (this.#options.rotation === 'follow' && this.#isGone(error)) return undefined
      throw error
    }
  }

  async #nextLines(): Promise<LineBatch | undefined> {
    for (;;) {
      this.#reading ??= await this.#startReading()
      if (this.#reading === undefined) return undefined
      const { value: batch } = await this.#reading.next()
      if (batch !== undefined) return batch
      this.#reading = undefined
      if (this.#moved === undefined) return undefined
    }
  }

  #isGone(error: unknown): boolean {
    return error instanceof SourceFileError && this.#statOf(error.file) === undefined
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
  async #startReading(): Promise<Reading | undefined> {
    if (this.#moved === undefined) {
      const version = this.#version()
      if (version === this.#readVersion) return undefined
      this.#readVersion = version
      await this.#takeFile(version)
    }
    if (this.#moved !== undefined) return this.#readMoved(this.#moved)
    return this.#readVersion === MISSING ? undefined : this.#readFrom(this.path, this.#options.untilEnd)
  }

  /** Finds out whether the file at hand is still at the path, and where it is if not. */
  async #takeFile(version: string): Promise<void> {
    const known = this.#position
    if (known === undefined) {
      const { history } = this.#options
      const oldest = history && this.#rotated().find(({ path }) => history(path))?.path
      if (oldest !== undefined || version !== MISSING) await this.#begin(oldest, version)
      return
    }
    const identity = version === MISSING ? undefined : await recognize(this.#files, this.path, known)
    if (identity !== undefined) {
      this.#position = { ...known, ...identity }
      return
    }
    if (this.#options.rotation === 'fail') throw this.#replaced(known)
    this.#moved = await this.#findMoved(known)
    if (this.#moved !== undefined || version === MISSING) return
    this.#reportMissing(known)
    await this.#begin(undefined, version)
  }

  /**
   * Reads the file at hand where it is now. Whoever writes it may go on for a while, with another file at the path that is still empty: it is finished
   * when the next one has something in it.
   */
  async #readMoved(path: string): Promise<Reading | undefined> {
    const next = this.#findNext(path)
    if (next === undefined && this.#readVersion === `${this.#versionOf(path)} undefined`) return undefined
    // Moved once more, or packed: its bytes say where it is.
    const found = this.#position === undefined ? undefined : await this.#findMoved(this.#position, path)
    if (found === undefined) return this.#giveUp(next)
    return this.#readFound(found, this.#findNext(found))
  }

  async #readFound(path: string, next: string | undefined): Promise<Reading | undefined> {
    const version = `${this.#versionOf(path)} ${next}`
    const isRead = version === this.#readVersion
    if (isRead && next !== undefined) return this.#goOnWith(next)
    this.#moved = path
    this.#readVersion = version
    return isRead ? undefined : this.#readFrom(path, this.#options.untilEnd || next !== undefined)
  }

  /** The rest of a moved file was removed. */
  async #giveUp(next: string | undefined): Promise<Reading | undefined> {
    if (next === undefined) return undefined
    if (this.#position !== undefined) this.#reportMissing(this.#position)
    return this.#goOnWith(next)
  }

  async #goOnWith(next: string): Promise<Reading | undefined> {
    await this.#begin(next === this.path ? undefined : next)
    return this.#startReading()
  }

  #readFrom(path: string, takeRest: boolean): Reading {
    const { batchLines, longestLineBytes } = this.#options
    const position = this.#position?.position ?? 0
    return readLines(this.#files, path, { position, takeRest, batchLines, longestLineBytes })
  }

  /** Goes on with the next file from its start: a moved one, or the one at the path, of which `version` is read now. */
  async #begin(moved: string | undefined, version?: string): Promise<void> {
    this.#position = startOf(await identifyFile(this.#files, moved ?? this.path), this.#position)
    this.#moved = moved
    this.#readVersion = moved === undefined ? version : undefined
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

  /** The file that was at the path, beside it under a longer name, as programs that rotate logs leave it. @param first where to look first. */
  async #findMoved(known: FileIdentity, first?: string): Promise<string | undefined> {
    const paths = this.#besides().map(({ path }) => path)
    for (const path of paths.includes(first ?? '') ? [first ?? '', ...paths] : paths) {
      if ((await this.#recognizeThere(path, known)) !== undefined) return path
    }
    return undefined
  }

  /** The file that came to the path after one that was moved: one that was moved too, or the one that is there, once there is something in it. */
  #findNext(moved: string): string | undefined {
    const rotated = this.#rotated(moved)
    const at = rotated.findIndex(({ path }) => path === moved)
    const next = at === -1 ? undefined : rotated[at + 1]
    if (next !== undefined) return next.path
    return (this.#statOf(this.path)?.sizeBytes ?? 0) > 0 ? this.path : undefined
  }

  /** The files that were at the path before, in the order in which they were written, `moved` among them however it is called. */
  #rotated(moved?: string): readonly DatedFile[] {
    const name = posix.basename(this.path)
    const own = moved === undefined || isRotatedName(posix.basename(moved), name)
    const all = this.#besides().filter(({ path }) => !own || isRotatedName(posix.basename(path), name))
    return oldestFirst(all, { name, modifiedMs: this.#statOf(this.path)?.modifiedMs })
  }

  /** The files whose names begin as the followed one's. */
  #besides(): readonly DatedFile[] {
    const directory = posix.dirname(this.path)
    const name = posix.basename(this.path)
    const entries = this.#files.list(directory).filter((entry) => entry.kind === 'file')
    return withoutCopies(entries.map((entry) => entry.name))
      .filter((entry) => entry !== name && entry.startsWith(name))
      .flatMap((entry) => {
        const path = posix.join(directory, entry)
        const stat = this.#statOf(path)
        return stat === undefined ? [] : [{ path, modifiedMs: stat.modifiedMs }]
      })
  }

  /** See {@link recognize}. Undefined too of a file that is gone, or not whole. */
  async #recognizeThere(path: string, known: FileIdentity): Promise<FileIdentity | undefined> {
    try {
      return await recognize(this.#files, path, known)
    } catch (error) {
      if (error instanceof SourceFileError) return undefined
      throw error
    }
  }

  #version(): string {
    const version = this.#versionOf(this.path)
    if (version !== undefined) return version
    if (this.#options.rotation === 'follow') return MISSING
    throw new SourceFileError(this.path, 'cannot be opened (there is no such file). Check the path')
  }

  #versionOf(path: string): string | undefined {
    return this.#statOf(path) === undefined ? undefined : fileVersion(this.#files, path)
  }

  /** Undefined when there is no file: others move and remove them meanwhile. */
  #statOf(path: string): ReturnType<FileSystem['stat']> | undefined {
    try {
      return this.#files.stat(path)
    } catch (error) {
      if (error instanceof FileSystemError && error.systemCode === 'ENOENT') return undefined
      const detail = error instanceof Error ? error.message : String(error)
      throw new SourceFileError(path, `cannot be opened (${detail}). Check the path`, { cause: error })
    }
  }
}
