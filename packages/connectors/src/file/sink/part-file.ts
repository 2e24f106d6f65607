import { join } from 'node:path'
import { type FileHandle, type FileSystem, FileSystemError } from '@millrace/log'
import type { Row } from '../../rows/row-change.ts'
import type { SinkPartition } from '../../sink.ts'
import { type Claim, holds, removeIfThere } from './claims.ts'
import type { FileEncoder, FileFormat } from './file-format.ts'

const OFFSET_DIGITS = 20
const PART_EXTENSION = 'part'
const PART_NAME = /^(.+)\+(\d+)\+\d{20}\.\d+\.part$/
const NAME = /^(.+)\+(\d+)\+(\d{20})-(\d{20})\.(\w+)$/

/** What a finished file's name says: the rows of these offsets of a partition, `next` not among them. */
export interface FinishedFile extends SinkPartition {
  readonly first: number
  readonly next: number
}

/** `topic+partition+first-next.extension`, offsets with leading zeros: names sort as offsets do. */
export function finishedName({ topic, partition, first, next }: FinishedFile, extension: string): string {
  return `${topic}+${partition}+${digits(first)}-${digits(next)}.${extension}`
}

/** Undefined for files that are none of a sink's. */
export function parseFinishedName(name: string): FinishedFile | undefined {
  const [, topic, partition, first, next, extension] = NAME.exec(name) ?? []
  if (topic === undefined || extension === PART_EXTENSION) return undefined
  return { topic, partition: Number(partition), first: Number(first), next: Number(next) }
}

/** The partition of a part that nobody finished; undefined for other files. */
export function parsePartName(name: string): SinkPartition | undefined {
  const [, topic, partition] = PART_NAME.exec(name) ?? []
  return topic === undefined ? undefined : { topic, partition: Number(partition) }
}

/** A file that still takes rows of one partition. It gets its name, and counts, when it is finished. */
export class PartFile {
  readonly #files: FileSystem
  readonly #directory: string
  readonly #format: FileFormat
  readonly #encoder: FileEncoder
  readonly #place: Claim & { readonly first: number }
  readonly #path: string
  readonly #file: FileHandle
  #next: number
  /** How far `finish` has come: what failed may be tried again. */
  #state: 'open' | 'written' | 'named' | 'released' = 'open'
  #sizeBytes = 0
  #rows = 0

  constructor(
    files: FileSystem,
    target: { readonly directory: string; readonly format: FileFormat },
    place: Claim & { readonly first: number }
  ) {
    this.#files = files
    this.#directory = target.directory
    this.#format = target.format
    this.#encoder = target.format.begin()
    this.#place = place
    this.#next = place.first
    const { topic, partition, first, epoch } = place
    this.#path = join(target.directory, `${topic}+${partition}+${digits(first)}.${epoch}.${PART_EXTENSION}`)
    this.#file = files.open(this.#path, 'write')
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get rows(): number {
    return this.#rows
  }

  /** The bytes of rows, to be appended next. @throws RowFormatError, and nothing has changed. */
  encode(rows: readonly Row[]): Buffer {
    return this.#encoder.append(rows)
  }

  /** Puts so many rows behind the others, or nothing: bytes of a write that failed are written over by the next. */
  append(bytes: Buffer, rows: number, next: number): void {
    if (bytes.length > 0) this.#file.write([bytes], this.#sizeBytes)
    this.#sizeBytes += bytes.length
    this.#rows += rows
    this.#next = next
  }

  /** Records up to here made no rows. */
  advance(next: number): void {
    this.#next = next
  }

  /**
   * The file is on the disk under its name when this resolves; false when another run has claimed the partition and it is gone. After an error it may be
   * called again.
   */
  async finish(): Promise<boolean> {
    if (this.#state === 'open') {
      const end = this.#encoder.end()
      this.#file.write([end], this.#sizeBytes)
      this.#file.truncate(this.#sizeBytes + end.length)
      await this.#file.datasync()
      this.#state = 'written'
      this.#file.close()
    }
    if (this.#state === 'written') {
      if (!holds(this.#files, this.#directory, this.#place)) return false
      const name = finishedName({ ...this.#place, next: this.#next }, this.#format.extension)
      if (!this.#rename(join(this.#directory, name))) return false
      this.#state = 'named'
    }
    await this.#files.syncDirectory(this.#directory)
    return true
  }

  /** Holds nothing open any more. What is not finished is left, for whoever claims the partition next to remove. */
  release(): void {
    if (this.#state !== 'open') return
    this.#state = 'released'
    this.#file.close()
  }

  /** Who claims a partition removes its parts: then there is nothing to rename. */
  #rename(path: string): boolean {
    try {
      this.#files.rename(this.#path, path)
      return true
    } catch (error) {
      if (error instanceof FileSystemError && error.systemCode === 'ENOENT') return false
      throw error
    }
  }

  /** Removes it. */
  drop(): void {
    this.release()
    removeIfThere(this.#files, this.#path)
  }
}

function digits(offset: number): string {
  return String(offset).padStart(OFFSET_DIGITS, '0')
}
