import { posix } from 'node:path'
import { type FileSystem, UsageError } from '@millrace/log'
import { type Duration, durationMs } from '@millrace/streams'
import type { Positions, Source, SourceBatch, SourceContext, SourceReader, SourceRecord } from '../../source.ts'
import { SourceFileError } from '../errors.ts'
import type { FilePosition } from './file-position.ts'
import { FollowedFile } from './followed-file.ts'
import type { LineBatch } from './lines.ts'
import { isRotatedName } from './rotated-names.ts'

/** One line of a file. */
export interface FileLine {
  /** Without its line end. A longer line than `longestLineBytes` is cut right behind that, and `tooLong`. */
  readonly text: string
  readonly tooLong: boolean
  /** Real path of the file it was written to. */
  readonly file: string
  /** Within the file, from 1. */
  readonly number: number
}

/** Which files, and what becomes of their lines. */
export interface FileSourceOptions {
  /** Stable name: positions are kept under it. */
  readonly name: string
  /** Text files, gzip too, or directories, whose files then are read, later ones too. A file that several name is read once. */
  readonly files: readonly string[]
  /** The records that a line becomes. */
  readonly parse: (line: FileLine) => SourceRecord | readonly SourceRecord[] | undefined
  /** Of the text; default `utf8`. With `latin1` each character is a byte, whatever it was meant to be. */
  readonly encoding?: 'utf8' | 'latin1'
  /**
   * False (default): the files are followed as they grow, and a line counts once it has its line end. True: the source ends at the ends that they have
   * when it comes there, and a last line counts as it is.
   */
  readonly untilEnd?: boolean
  /**
   * When another file has come to a path: `follow` (default) reads the rest of the old one, found by its first bytes under a longer name beside it,
   * packed or not, and then the new one; `fail` stops.
   */
  readonly rotation?: 'follow' | 'fail'
  /** Default 1,000,000. */
  readonly longestLineBytes?: number
  /** Most lines of a batch. Default 10,000. */
  readonly batchLines?: number
  /** Lines a second at most. Default: as many as there are. */
  readonly linesPerSecond?: number
  /** How often a file is looked at that was read to its end; default 200 ms. */
  readonly pollInterval?: Duration
  /** Where the files are. Default: the file system that the log is on, which under `memory:` is one in memory. `realEnvironment().files` is the machine's. */
  readonly fileSystem?: FileSystem
}

/** A source of lines, and what it has read. */
export interface FileSource extends Source<FilePosition> {
  /** What is read and committed, by real path; at first what earlier runs committed. */
  committed(): Positions<FilePosition>
}

const DEFAULTS = { longestLineBytes: 1_000_000, batchLines: 10_000, pollInterval: '200ms' } as const
/** A pace shows when a batch is a tenth of a second. */
const PACED_BATCHES_PER_SECOND = 10

/**
 * Reads lines of text files, each exactly once: a file's position is committed with the records, whatever happens in between.
 * The reader fails with `SourceFileError` when a file is missing, shrank, is no whole gzip file, or was replaced and is not to be followed.
 */
export function fileSource(options: FileSourceOptions): FileSource {
  if (options.files.length === 0) throw new UsageError(`source ${options.name} has no files to read: name one`)
  let committed: Positions<FilePosition> = new Map()
  return {
    name: options.name,
    committed: () => committed,
    async open(positions, context) {
      committed = positions
      const onCommitted = (changed: Positions<FilePosition>) => {
        committed = new Map([...committed, ...changed])
      }
      return new FileReader(options, context, { positions, onCommitted })
    }
  }
}

class FileReader implements SourceReader<FilePosition> {
  readonly #options: FileSourceOptions
  readonly #context: SourceContext
  readonly #positions: Positions<FilePosition>
  readonly #onCommitted: (positions: Positions<FilePosition>) => void
  readonly #pace: Pace
  readonly #pollMs: number
  readonly #fileSystem: FileSystem
  readonly #followed = new Map<string, FollowedFile>()
  /** Of those given, the paths that were there. */
  readonly #found = new Set<string>()
  /** Directories of which it was said that they have no files. */
  readonly #empty = new Set<string>()
  /** Of directories, where what was rotated before is to be read too. */
  readonly #withHistory = new Set<string>()
  #turn = 0

  constructor(
    options: FileSourceOptions,
    context: SourceContext,
    known: {
      readonly positions: Positions<FilePosition>
      readonly onCommitted: (positions: Positions<FilePosition>) => void
    }
  ) {
    this.#options = options
    this.#context = context
    this.#positions = known.positions
    this.#onCommitted = known.onCommitted
    this.#fileSystem = options.fileSystem ?? context.environment.files
    this.#pace = new Pace(context, options.linesPerSecond)
    this.#pollMs = durationMs('pollInterval', options.pollInterval ?? DEFAULTS.pollInterval, { leastMs: 1 })
  }

  async read(): Promise<SourceBatch<FilePosition> | undefined> {
    const { signal } = this.#context
    while (!signal.aborted) {
      await this.#pace.keep()
      const batch = await this.#nextOfAll()
      if (batch !== undefined) return batch
      if (this.#options.untilEnd && !signal.aborted) return undefined
      await pause(this.#context, this.#pollMs)
    }
    return { records: [], positions: new Map() }
  }

  async committed(positions: Positions<FilePosition>): Promise<void> {
    this.#onCommitted(positions)
  }

  async close(): Promise<void> {
    for (const file of this.#followed.values()) await file.close()
  }

  /** Reads on where it was, and goes on to the next file at an end; undefined when all are at theirs. */
  async #nextOfAll(): Promise<SourceBatch<FilePosition> | undefined> {
    const files = this.#files()
    for (let ended = 0; ended < files.length && !this.#context.signal.aborted; ended++) {
      const file = files[this.#turn % files.length]
      const batch = await file?.next()
      if (file !== undefined && batch !== undefined) return this.#makeBatch(file, batch)
      this.#turn++
    }
    return undefined
  }

  #makeBatch(file: FollowedFile, batch: LineBatch): SourceBatch<FilePosition> {
    this.#pace.count(batch.lines.length)
    const { encoding = 'utf8', longestLineBytes = DEFAULTS.longestLineBytes, parse } = this.#options
    const records: SourceRecord[] = []
    const counts = { ...file.position?.records }
    let number = file.position?.lines ?? 0
    for (const line of batch.lines) {
      number++
      const tooLong = line.length > longestLineBytes
      const kept = tooLong ? line.slice(0, longestLineBytes) : line
      const text = encoding === 'latin1' ? kept : decodeUtf8(kept)
      const made = parse({ text, tooLong, file: file.path, number })
      if (made === undefined) continue
      for (const record of isMany(made) ? made : [made]) {
        records.push(record)
        counts[record.topic] = (counts[record.topic] ?? 0) + 1
      }
    }
    return { records, positions: new Map([[file.path, file.advance(batch, counts)]]) }
  }

  /** The files to read, new ones of the directories too. */
  #files(): readonly FollowedFile[] {
    for (const path of this.#options.files) {
      for (const file of this.#filesAt(path))
        if (!this.#followed.has(file)) this.#followed.set(file, this.#follow(file))
    }
    return [...this.#followed.values()]
  }

  #filesAt(path: string): readonly string[] {
    const files = this.#fileSystem
    try {
      const real = files.realPath(path)
      this.#found.add(path)
      return files.stat(real).kind === 'directory' ? this.#filesIn(real) : [real]
    } catch (error) {
      if (error instanceof SourceFileError) throw error
      // One that is followed may be away for a moment, while logs are rotated.
      if (this.#found.has(path) && this.#options.rotation !== 'fail') return []
      const detail = error instanceof Error ? error.message : String(error)
      throw new SourceFileError(path, `cannot be opened (${detail}). Check the path`, { cause: error })
    }
  }

  /** The files of a directory. Rotated ones are read as what was at the path before, so that they are not read again under each name they get. */
  #filesIn(directory: string): readonly string[] {
    const entries = this.#fileSystem
      .list(directory)
      .filter(({ kind, name }) => kind === 'file' && !name.startsWith('.'))
    const names = entries.map(({ name }) => name)
    const known = [...this.#positions.keys(), ...this.#followed.keys()]
    const before = known.filter((path) => posix.dirname(path) === directory).map((path) => posix.basename(path))
    const all = [...new Set([...names, ...before])]
    if (all.length === 0) this.#sayNothingIn(directory)
    if (this.#options.rotation === 'fail') return names.map((name) => posix.join(directory, name))
    const isOthers = (name: string) => all.some((other) => isRotatedName(name, other))
    for (const name of all) if (!isOthers(name)) this.#withHistory.add(posix.join(directory, name))
    return all.filter((name) => !isOthers(name)).map((name) => posix.join(directory, name))
  }

  /** Who reads to the end expects something there; who waits for files hears once that there are none. */
  #sayNothingIn(directory: string): void {
    const problem = 'is a directory without files: name one that has some, those of directories in it are not read'
    if (this.#options.untilEnd) throw new SourceFileError(directory, problem)
    if (this.#empty.has(directory)) return
    this.#empty.add(directory)
    const message = `${directory} ${problem}. Files that come to be there will be`
    this.#context.report({ level: 'warning', code: 'directory-without-files', message })
  }

  #isKnown(path: string): boolean {
    return this.#followed.has(path) || this.#positions.has(path)
  }

  #follow(path: string): FollowedFile {
    const { untilEnd = false, rotation = 'follow', longestLineBytes, batchLines, linesPerSecond } = this.#options
    const paced = Math.ceil((linesPerSecond ?? Number.POSITIVE_INFINITY) / PACED_BATCHES_PER_SECOND)
    return new FollowedFile(this.#fileSystem, path, {
      untilEnd,
      rotation,
      history: this.#withHistory.has(path) ? (older) => !this.#isKnown(older) : undefined,
      longestLineBytes: longestLineBytes ?? DEFAULTS.longestLineBytes,
      batchLines: Math.min(batchLines ?? DEFAULTS.batchLines, paced),
      report: (event) => this.#context.report(event),
      position: this.#positions.get(path)
    })
  }
}

/** Holds reading back to a number of lines a second. */
class Pace {
  readonly #context: SourceContext
  readonly #linesPerSecond: number | undefined
  readonly #beganMs: number
  #lines = 0

  constructor(context: SourceContext, linesPerSecond: number | undefined) {
    this.#context = context
    this.#linesPerSecond = linesPerSecond
    this.#beganMs = context.environment.clock.monotonicMs()
  }

  count(lines: number): void {
    this.#lines += lines
  }

  /** Resolves when the lines so far are due. */
  async keep(): Promise<void> {
    if (this.#linesPerSecond === undefined) return
    const dueMs = this.#beganMs + (this.#lines / this.#linesPerSecond) * 1000
    const aheadMs = dueMs - this.#context.environment.clock.monotonicMs()
    if (aheadMs > 0) await pause(this.#context, aheadMs)
  }
}

/** Resolves after so many milliseconds, or when the source is to stop. */
async function pause({ environment, signal }: SourceContext, delayMs: number): Promise<void> {
  if (signal.aborted) return
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  const stop = () => resolve()
  signal.addEventListener('abort', stop)
  const timer = environment.timers.set(delayMs, stop)
  await stopped
  timer.cancel()
  signal.removeEventListener('abort', stop)
}

function isMany(made: SourceRecord | readonly SourceRecord[]): made is readonly SourceRecord[] {
  return Array.isArray(made)
}

/** Most lines have nothing beyond ASCII, and are their own UTF-8. */
function decodeUtf8(latin1: string): string {
  return /[\u0080-\u00ff]/.test(latin1) ? Buffer.from(latin1, 'latin1').toString('utf8') : latin1
}
