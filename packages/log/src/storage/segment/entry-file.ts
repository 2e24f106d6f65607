import type { FileHandle, FileSystem } from '../../environment/environment.ts'
import { crc32c, extendCrc32c } from '../../wire/crc32c.ts'
import { isMissing } from '../errors.ts'

const FLUSH_BYTES = 8 * 1024

/** How many bytes of a file are good, and their CRC-32C. */
export interface FileSum {
  readonly sizeBytes: number
  readonly crc: number
}

/**
 * A file of entries of one size. New entries gather in memory and are written by the block, since all of them can be made again
 * from the log; entries on disk are read one by one, so an index costs no memory. The running checksum covers every entry, written
 * or not.
 */
export class EntryFile {
  readonly path: string
  readonly entryBytes: number
  readonly #files: FileSystem
  #handle: FileHandle | undefined
  #writtenBytes: number
  #crc: number
  #pending: Buffer
  #pendingBytes = 0
  readonly #scratch: Buffer

  /** Goes on after the first `sum.sizeBytes` bytes of the file; what is behind them is overwritten. */
  constructor(files: FileSystem, path: string, options: { readonly entryBytes: number; readonly sum: FileSum }) {
    this.#files = files
    this.path = path
    this.entryBytes = options.entryBytes
    this.#writtenBytes = options.sum.sizeBytes
    this.#crc = options.sum.crc
    this.#pending = Buffer.alloc(0)
    this.#scratch = Buffer.alloc(options.entryBytes)
  }

  get count(): number {
    return (this.#writtenBytes + this.#pendingBytes) / this.entryBytes
  }

  get sum(): FileSum {
    return { sizeBytes: this.#writtenBytes + this.#pendingBytes, crc: this.#crc }
  }

  /** A buffer with the entry; valid until the next call. */
  entry(index: number): Buffer {
    const position = index * this.entryBytes
    if (position >= this.#writtenBytes) {
      const start = position - this.#writtenBytes
      return this.#pending.subarray(start, start + this.entryBytes)
    }
    this.#open().read(this.#scratch, position)
    return this.#scratch
  }

  /** Adds an entry; the bytes are copied. Writing is left to {@link flush}. */
  append(entry: Buffer): void {
    if (this.#pendingBytes + entry.length > this.#pending.length) this.#growPending(entry.length)
    entry.copy(this.#pending, this.#pendingBytes)
    this.#pendingBytes += entry.length
    this.#crc = extendCrc32c(this.#crc, entry)
  }

  /** Whether enough entries are waiting that writing them pays. */
  get wantsFlush(): boolean {
    return this.#pendingBytes >= FLUSH_BYTES
  }

  /** Writes what waits. Touches no disk when there is nothing, so that an empty index has no file until {@link create}. */
  flush(): void {
    if (this.#pendingBytes === 0) return
    this.#open().write([this.#pending.subarray(0, this.#pendingBytes)], this.#writtenBytes)
    this.#writtenBytes += this.#pendingBytes
    this.#pendingBytes = 0
    this.#pending = Buffer.alloc(0)
  }

  /** Makes the file if it is not there, and cuts what lies behind the last entry. */
  settle(): void {
    this.flush()
    const handle = this.#open()
    if (handle.size() !== this.#writtenBytes) handle.truncate(this.#writtenBytes)
  }

  async datasync(): Promise<void> {
    await this.#open().datasync()
  }

  /** Forgets all entries; the file is emptied by the next {@link settle}. */
  reset(): void {
    this.#writtenBytes = 0
    this.#pendingBytes = 0
    this.#crc = 0
  }

  close(): void {
    this.#handle?.close()
    this.#handle = undefined
  }

  #open(): FileHandle {
    this.#handle ??= this.#files.open(this.path, 'write')
    return this.#handle
  }

  #growPending(extraBytes: number): void {
    const grown = Buffer.alloc(Math.max(512, 2 * (this.#pendingBytes + extraBytes)))
    this.#pending.copy(grown, 0, 0, this.#pendingBytes)
    this.#pending = grown
  }
}

/** Whether the file holds at least `sum.sizeBytes` bytes and the first ones have the checksum. */
export function fileMatches(files: FileSystem, path: string, sum: FileSum): boolean {
  let content: Buffer
  try {
    content = files.readFile(path)
  } catch (error) {
    if (isMissing(error)) return sum.sizeBytes === 0
    throw error
  }
  return content.length >= sum.sizeBytes && crc32c(content.subarray(0, sum.sizeBytes)) === sum.crc
}
