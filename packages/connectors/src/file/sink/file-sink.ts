import { join } from 'node:path'
import { type FileSystem, makeDirectoryDurably, type Timer, UsageError } from '@millrace/log'
import { type Duration, durationMs } from '@millrace/streams'
import { SinkFencedError } from '../../errors.ts'
import type { Row, RowChange, RowDecoder } from '../../rows/row-change.ts'
import type {
  OpenedPartition,
  SinkContext,
  SinkOffset,
  SinkPartition,
  SinkRecord,
  TransactionalSink
} from '../../sink.ts'
import { ForeignFilesError, SinkDirectoryError } from '../errors.ts'
import { type Claim, holds, removeIfThere, takeClaim } from './claims.ts'
import { DELETED_COLUMN, type FileFormat } from './file-format.ts'
import { PartFile, parseFinishedName, parsePartName } from './part-file.ts'
import { notePassed, passedOffsets } from './passed-offsets.ts'
import { requireAhead, requireOwnFiles } from './topic-notes.ts'

/** Where to write files, and how. */
export interface FileSinkOptions {
  /** Stable name. */
  readonly name: string
  /** Made when missing. Sinks of several names need directories of their own. */
  readonly directory: string
  readonly format: FileFormat
  /** How records become rows: `jsonRows()`, `debeziumRows()`, `serdeRows(…)`. */
  readonly rows: RowDecoder
  /** A file is finished with so many rows, so many bytes (of formats of text), or so long after it was begun. Defaults 100,000, 64 MiB, 1 minute. */
  readonly rollRecords?: number
  readonly rollBytes?: number
  readonly rollInterval?: Duration
  /** Where the directory is. Default: the file system that the log is on, which under `memory:` is one in memory. */
  readonly fileSystem?: FileSystem
}

const DEFAULT_ROLL_RECORDS = 100_000
const DEFAULT_ROLL_BYTES = 64 << 20
/** Between two attempts to finish a file whose time is over. */
const AGAIN_MS = 5000

/**
 * Writes records as rows of files, exactly once: a file appears whole, under a name that says which offsets of which partition are in it, and the
 * names are where the sink goes on. Rows of a deleted key are marked in a column `__deleted`; a truncate is no row, and is left out.
 *
 * What is not finished yet is dropped at a crash and delivered again. Runners of one name share the directory: each claims its partitions, and one that
 * lost its claim finishes no file any more.
 */
export function fileSink(options: FileSinkOptions): TransactionalSink {
  let run: FileSinkRun | undefined
  return {
    name: options.name,
    delivery: 'transactional',
    async open(partitions, context) {
      await makeDirectoryDurably(options.fileSystem ?? context.environment.files, options.directory)
      run = new FileSinkRun(options, context)
      return run.claim(partitions)
    },
    async write(batch, offsets) {
      if (run === undefined) throw new UsageError(`sink ${options.name} is not open`)
      await run.write(batch, offsets)
    },
    async close() {
      await run?.close()
      run = undefined
    }
  }
}

/** One opening of the sink: its claims, and the files that take rows. */
class FileSinkRun {
  readonly #options: FileSinkOptions
  readonly #context: SinkContext
  readonly #rollMs: number
  /** By partition's name, as the others. */
  readonly #claims = new Map<string, Claim>()
  readonly #parts = new Map<string, PartFile>()
  readonly #timers = new Map<string, Timer>()
  /** The next offset of each partition: what comes again of a batch that failed in another partition is left out. */
  readonly #taken = new Map<string, number>()
  /** Where the partitions began of which the directory says how far they are: no record from before is to come. */
  readonly #begun = new Map<string, number>()
  /** One thing at a time: a batch, or a timer that finishes a file. */
  #busy: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(options: FileSinkOptions, context: SinkContext) {
    this.#options = options
    this.#context = context
    this.#rollMs = durationMs('rollInterval', options.rollInterval ?? '1m', { leastMs: 1 })
  }

  /**
   * Claims the partitions, removes what earlier runs left unfinished of them, and then reads in the names how far they had come: in this order, so that a
   * file that one of them finishes meanwhile is either seen or impossible.
   */
  async claim(partitions: readonly OpenedPartition[]): Promise<readonly SinkOffset[]> {
    const files = this.#files
    const { directory } = this.#options
    await this.#onDisk(() => requireOwnFiles(files, this.#options, partitions))
    for (const partition of partitions) this.#claims.set(nameOf(partition), takeClaim(files, directory, partition))
    for (const { name } of files.list(directory)) {
      const part = parsePartName(name)
      if (part !== undefined && this.#claims.has(nameOf(part))) removeIfThere(files, join(directory, name))
    }
    for (const { name } of files.list(directory)) {
      const finished = parseFinishedName(name)
      if (finished !== undefined && this.#claims.has(nameOf(finished))) this.#take(nameOf(finished), finished.next)
    }
    for (const passed of passedOffsets(files, directory)) {
      if (this.#claims.has(nameOf(passed))) this.#take(nameOf(passed), passed.offset)
    }
    for (const [name, next] of this.#taken) this.#begun.set(name, next)
    return partitions.flatMap(({ topic, partition }) => {
      const offset = this.#taken.get(nameOf({ topic, partition }))
      return offset === undefined ? [] : [{ topic, partition, offset }]
    })
  }

  write(batch: readonly SinkRecord[], offsets: readonly SinkOffset[]): Promise<void> {
    return this.#alone(async () => {
      if (this.#failure !== undefined) throw this.#failure
      if (batch.length === 0) {
        for (const offset of offsets) await this.#pass(offset)
        return
      }
      const records = new Map<string, readonly SinkRecord[]>()
      for (const [name, all] of Map.groupBy(batch, nameOf)) {
        requireAhead(all[0], this.#begun.get(name), this.#options)
        const next = this.#taken.get(name) ?? 0
        records.set(
          name,
          all.filter(({ offset }) => offset >= next)
        )
      }
      // All is decoded before anything is written.
      const rows = new Map([...records].map(([name, of]) => [name, this.#decode(of)]))
      for (const offset of offsets) {
        const name = nameOf(offset)
        await this.#writePartition(offset, { rows: rows.get(name) ?? [], first: records.get(name)?.[0] })
        this.#take(name, offset.offset)
      }
    })
  }

  /** Finishes all files, so that nothing has to be delivered again; of one that lost its claim, or that cannot be finished, everything is. */
  close(): Promise<void> {
    return this.#alone(async () => {
      const failures: unknown[] = []
      for (const [name, part] of [...this.#parts]) {
        await this.#finish(name).catch((error: unknown) => failures.push(error))
        part.release()
      }
      for (const timer of this.#timers.values()) timer.cancel()
      const failure = failures.find((error) => !(error instanceof SinkFencedError))
      if (failure !== undefined) throw failure
    })
  }

  /** Nothing comes of the records up to there: what is said of them elsewhere (a dead letter) must not be said again. */
  async #pass(offset: SinkOffset): Promise<void> {
    const name = nameOf(offset)
    if (offset.offset <= (this.#taken.get(name) ?? 0)) return
    this.#parts.get(name)?.advance(offset.offset)
    if (this.#parts.has(name)) await this.#finish(name)
    else await this.#note(offset)
    this.#take(name, offset.offset)
  }

  #decode(records: readonly SinkRecord[]): readonly Row[] {
    return records.flatMap((record) => {
      const change = this.#options.rows.decode(record)
      const row = change === undefined ? undefined : rowOf(change)
      return row === undefined ? [] : [row]
    })
  }

  async #writePartition(
    { offset, ...partition }: SinkOffset,
    { rows, first }: { readonly rows: readonly Row[]; readonly first: SinkRecord | undefined }
  ): Promise<void> {
    const name = nameOf(partition)
    if (first === undefined || rows.length === 0) {
      this.#parts.get(name)?.advance(offset)
      return
    }
    if (!this.#begun.has(name)) await this.#note({ ...partition, offset: first.offset })
    const part = this.#parts.get(name) ?? (await this.#onDisk(() => this.#begin(name, first.offset)))
    const bytes = part.encode(rows)
    await this.#onDisk(() => part.append(bytes, rows.length, offset))
    const { rollRecords = DEFAULT_ROLL_RECORDS, rollBytes = DEFAULT_ROLL_BYTES } = this.#options
    if (part.rows >= rollRecords || part.sizeBytes >= rollBytes) await this.#finish(name)
  }

  /**
   * Says in the directory how far a partition is, where no file does: from its first record on, since the first file may be lost with the process when
   * others have heard already how far it was.
   */
  async #note(offset: SinkOffset): Promise<void> {
    const files = this.#files
    const claim = this.#claims.get(nameOf(offset))
    if (claim === undefined || !holds(files, this.#options.directory, claim)) {
      throw new SinkFencedError(this.#options.name, claim?.epoch ?? 0)
    }
    await this.#onDisk(() => notePassed(files, this.#options.directory, offset))
    if (!this.#begun.has(nameOf(offset))) this.#begun.set(nameOf(offset), offset.offset)
  }

  #take(name: string, next: number): void {
    this.#taken.set(name, Math.max(next, this.#taken.get(name) ?? 0))
  }

  #begin(name: string, first: number): PartFile {
    const { timers } = this.#context.environment
    const claim = this.#claims.get(name)
    if (claim === undefined)
      throw new UsageError(`sink ${this.#options.name} was not opened for ${name}, but is to write it`)
    const part = new PartFile(this.#files, this.#options, { ...claim, first })
    this.#parts.set(name, part)
    this.#timers.set(
      name,
      timers.set(this.#rollMs, () => this.#finishInTime(name))
    )
    return part
  }

  /** Though nothing more comes. What cannot be finished now is tried again, or by the run after the next write, which is told. */
  #finishInTime(name: string): void {
    const { timers } = this.#context.environment
    this.#alone(() => this.#finish(name)).then(
      () => {
        this.#failure = undefined
      },
      (error: unknown) => {
        this.#failure = error
        if (error instanceof SinkFencedError || this.#context.signal.aborted) return
        this.#context.report({ level: 'error', code: 'file-not-finished', message: String(error) })
        this.#timers.set(
          name,
          timers.set(Math.min(this.#rollMs, AGAIN_MS), () => this.#finishInTime(name))
        )
      }
    )
  }

  /** @throws SinkFencedError; SinkDirectoryError, after which the rows are still there to be finished. */
  async #finish(name: string): Promise<void> {
    const part = this.#parts.get(name)
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
    if (part === undefined) return
    const isKept = part.rows === 0 ? part.drop() : await this.#onDisk(() => part.finish())
    this.#parts.delete(name)
    if (isKept === false) throw new SinkFencedError(this.#options.name, this.#claims.get(name)?.epoch ?? 0)
  }

  get #files(): FileSystem {
    return this.#options.fileSystem ?? this.#context.environment.files
  }

  /** What fails there is no record's fault. */
  async #onDisk<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof ForeignFilesError) throw error
      throw new SinkDirectoryError(this.#options.name, this.#options.directory, error)
    }
  }

  #alone(run: () => Promise<void>): Promise<void> {
    const done = this.#busy.then(run)
    this.#busy = done.catch(() => undefined)
    return done
  }
}

function rowOf(change: RowChange): Row | undefined {
  if (change.kind === 'truncate') return undefined
  return change.kind === 'upsert' ? change.row : { ...change.key, [DELETED_COLUMN]: true }
}

function nameOf({ topic, partition }: SinkPartition): string {
  return `${topic}+${partition}`
}
