import { type Environment, type FileSystem, FileSystemError, makeDirectoryDurably } from '@millrace/log'
import { ClassicLevel } from 'classic-level'
import { type ChangeTeller, COUNTED_ENTRIES, type KeyRange, type StateEngine, type StateScan } from './engine.ts'
import { levelFailure } from './level/level-failure.ts'
import { verifyLevelFiles } from './level/level-files.ts'

type Database = ClassicLevel<Buffer, Buffer>

const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const

/** How LevelDB is opened. */
export interface LevelEngineOptions {
  /** Uncompressed blocks kept in memory (default 8 MiB). */
  readonly blockCacheBytes?: number
}

/**
 * State on disk in LevelDB. A write is one batch, synced. LevelDB checks no checksum of its table files and drops a damaged part of its log in
 * silence, so every file is verified before it is opened (`level/level-files.ts`); what that can not see, the commit numbers of
 * `checked-engine.ts` do. Blocks are not compressed: values are small, and so they can be verified without unpacking.
 */
export class LevelEngine implements StateEngine {
  readonly location: string
  readonly #files: FileSystem
  readonly #database: Database

  private constructor(location: string, files: FileSystem, database: Database) {
    this.location = location
    this.#files = files
    this.#database = database
  }

  /**
   * Opens the database in a directory, which is made when it is missing.
   * @throws StoreDamagedError when a file is missing or wrong.
   */
  static async open(path: string, environment: Environment, options: LevelEngineOptions = {}): Promise<LevelEngine> {
    await makeDirectoryDurably(environment.files, path)
    await verifyLevelFiles(path, environment)
    const cacheSize = options.blockCacheBytes ?? 8 << 20
    const database: Database = new ClassicLevel(path, { ...encodings, cacheSize, compression: false })
    try {
      await database.open()
    } catch (error) {
      throw levelFailure(path, error)
    }
    return new LevelEngine(path, environment.files, database)
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getSync(key)
    } catch (error) {
      throw levelFailure(this.location, error)
    }
  }

  async write(tell: ChangeTeller): Promise<void> {
    // A third of the time in JavaScript that an array of operations takes. Keys and values are copied by each call.
    const batch = this.#database.batch()
    try {
      tell((key, value) => {
        if (value === null) batch.del(key)
        else batch.put(key, value)
      })
    } catch (error) {
      await batch.close()
      throw error
    }
    await this.#attempt(() => batch.write({ sync: true }))
  }

  scan(range: KeyRange): StateScan {
    const { gte, lt, reverse } = range
    const iterator = this.#database.iterator({ gte, lt, reverse: reverse === true })
    return {
      next: (limit) => this.#attempt(() => iterator.nextv(limit)),
      close: () => iterator.close()
    }
  }

  async clear(range: KeyRange): Promise<void> {
    const { gte, lt } = range
    await this.#attempt(async () => {
      await this.#database.clear({ gte, lt })
      await this.#database.compactRange(gte, lt)
    })
  }

  async approximateEntries(range: KeyRange): Promise<number> {
    const scan = this.scan({ gte: range.gte, lt: range.lt })
    let [entries, bytes] = [0, 0]
    try {
      while (entries < COUNTED_ENTRIES) {
        const page = await scan.next(COUNTED_ENTRIES - entries)
        if (page.length === 0) return entries
        entries += page.length
        for (const [key, value] of page) bytes += key.length + value.length
      }
    } finally {
      await scan.close()
    }
    // Of the table files only: what was written last is not among them.
    const sizeBytes = await this.#attempt(() => this.#database.approximateSize(range.gte, range.lt))
    return Math.max(entries, Math.round((sizeBytes * entries) / bytes))
  }

  async sizeBytes(): Promise<number> {
    let sum = 0
    for (const { name } of this.#files.list(this.location)) sum += this.#sizeOf(`${this.location}/${name}`)
    return sum
  }

  async close(): Promise<void> {
    await this.#database.close()
  }

  /** Compaction, in another thread, may remove a file between any two looks at it: what is gone takes no space. */
  #sizeOf(path: string): number {
    try {
      return this.#files.stat(path).sizeBytes
    } catch (error) {
      if (error instanceof FileSystemError && error.systemCode === 'ENOENT') return 0
      throw error
    }
  }

  async #attempt<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw levelFailure(this.location, error)
    }
  }
}
