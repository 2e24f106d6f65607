import {
  type Environment,
  type FileHandle,
  type FileSystem,
  makeDirectoryDurably,
  writeFileAtomically
} from '@millrace/log'
import type { ChangeTeller, KeyRange, StateEngine, StateScan } from './engine.ts'
import { StoreDamagedError } from './errors.ts'
import { type ChangeRecord, encodeChanges, readChanges } from './file-records.ts'
import { keptChanges, scanOrdered } from './memory-engine.ts'
import { OrderedBytes } from './ordered-bytes.ts'

const smallestRewriteBytes = 64 << 10

/**
 * State in memory and in one log of batches on the environment's disk, each with length and checksum, synced as it is written; rewritten when
 * more than half of it is garbage. For simulation, where LevelDB can not go, and for small states. A batch that a crash tore is cut off; a wrong
 * byte with valid batches after it is damage.
 */
export class FileEngine implements StateEngine {
  readonly location: string
  readonly #files: FileSystem
  readonly #entries = new OrderedBytes()
  #file: FileHandle
  #fileBytes = 0
  /** Writes go one after the other. */
  #last: Promise<void> = Promise.resolve()

  private constructor(location: string, files: FileSystem, file: FileHandle) {
    this.location = location
    this.#files = files
    this.#file = file
  }

  /**
   * Opens the state in a directory, which is made when it is missing.
   * @throws StoreDamagedError
   */
  static async open(path: string, environment: Environment): Promise<FileEngine> {
    const { files } = environment
    const file = `${path}/state.log`
    await makeDirectoryDurably(files, path)
    if (files.exists(file)) await files.syncDirectory(path)
    else await writeFileAtomically(files, file, encodeChanges([]))
    const engine = new FileEngine(path, files, files.open(file, 'write'))
    await engine.#load()
    return engine
  }

  get(key: Buffer): Buffer | undefined {
    const value = this.#entries.get(key)
    return value === undefined ? undefined : Buffer.from(value)
  }

  async write(tell: ChangeTeller): Promise<void> {
    await this.#append(
      keptChanges(tell).map(({ key, value }) =>
        value === null ? { kind: 'delete', key } : { kind: 'put', key, value }
      )
    )
  }

  clear(range: KeyRange): Promise<void> {
    return this.#append([{ kind: 'clear', gte: range.gte, lt: range.lt }])
  }

  scan(range: KeyRange): StateScan {
    return scanOrdered(this.#entries, range)
  }

  async approximateEntries(range: KeyRange): Promise<number> {
    return this.#entries.count(range)
  }

  async sizeBytes(): Promise<number> {
    return this.#fileBytes
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined)
    this.#file.close()
  }

  #append(changes: readonly ChangeRecord[]): Promise<void> {
    const bytes = encodeChanges(changes)
    const done = this.#last.then(async () => {
      this.#file.write([bytes], this.#fileBytes)
      this.#fileBytes += bytes.length
      await this.#file.datasync()
      for (const change of changes) this.#take(change)
      if (this.#fileBytes > smallestRewriteBytes && this.#fileBytes > 2 * this.#liveBytes()) await this.#rewrite()
    })
    // After a failure what the file holds is not known, so every later write fails too.
    this.#last = done
    done.catch(() => undefined)
    return done
  }

  #take(change: ChangeRecord): void {
    if (change.kind === 'put') this.#entries.set(change.key, change.value)
    else if (change.kind === 'delete') this.#entries.delete(change.key)
    else this.#entries.clear(change)
  }

  #liveBytes(): number {
    return this.#entries.sizeBytes + this.#entries.size * 9
  }

  async #rewrite(): Promise<void> {
    const puts: ChangeRecord[] = []
    for (const [key, value] of this.#entries.entries()) puts.push({ kind: 'put', key, value })
    const bytes = encodeChanges(puts)
    const { path } = this.#file
    await writeFileAtomically(this.#files, path, bytes)
    this.#file.close()
    this.#file = this.#files.open(path, 'write')
    this.#fileBytes = bytes.length
  }

  async #load(): Promise<void> {
    const bytes = this.#files.readFile(this.#file.path)
    const { changes, endByte, problem } = readChanges(bytes)
    if (problem !== undefined) throw new StoreDamagedError(this.#file.path, problem)
    for (const change of changes) this.#take(change)
    this.#fileBytes = endByte
    if (endByte < bytes.length) this.#file.truncate(endByte)
    // A sync that failed before may have left this in the page cache alone, where no later sync would find it.
    this.#file.write([bytes.subarray(0, endByte)], 0)
    await this.#file.datasync()
  }
}
