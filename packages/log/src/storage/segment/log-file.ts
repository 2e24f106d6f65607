import type { FileHandle, FileSystem } from '../../environment/environment.ts'
import { CorruptionError, FileSystemError } from '../../errors.ts'
import { BATCH_HEADER_BYTES, batchLastOffset, batchSizeBytes } from '../../wire/batch/header.ts'
import { AppendFailedError } from '../errors.ts'
import { crcMatches, type ExpectedBatch, headerProblem } from './batch-check.ts'
import { VerifiedRanges } from './verified-ranges.ts'

/** What to read from one log file: whole batches from `position` on, where the expected one begins. */
export interface LogFileRead extends ExpectedBatch {
  readonly position: number
  /** The first batch is returned whole even when it is larger. */
  readonly maxBytes: number
}

/**
 * The `.log` file of a segment: batches one after the other. Every batch that is read for the first time since the file was
 * opened is checked against its CRC.
 */
export class LogFile {
  readonly path: string
  readonly verified = new VerifiedRanges()
  readonly #files: FileSystem
  #handle: FileHandle | undefined
  #sizeBytes: number
  /** Bytes behind the end that a failed write left there. */
  #strayTail = false

  constructor(files: FileSystem, path: string, sizeBytes: number) {
    this.#files = files
    this.path = path
    this.#sizeBytes = sizeBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get handle(): FileHandle {
    this.#handle ??= this.#files.open(this.path, 'write')
    return this.#handle
  }

  /**
   * Writes a batch at the end.
   * @throws AppendFailedError when the system refused; nothing of the batch stays.
   */
  append(batch: Buffer): void {
    try {
      if (this.#strayTail) this.cutTo(this.#sizeBytes)
      this.handle.write([batch], this.#sizeBytes)
    } catch (error) {
      if (!(error instanceof FileSystemError)) throw error
      this.#cutStrayTail()
      throw new AppendFailedError(this.path, error)
    }
    this.verified.add(this.#sizeBytes, this.#sizeBytes + batch.length)
    this.#sizeBytes += batch.length
  }

  /** The file was replaced by one of another size: what was known of its bytes is forgotten. */
  resized(sizeBytes: number): void {
    this.#sizeBytes = sizeBytes
    this.verified.clear()
  }

  /** Cuts the file; what was behind is gone. */
  cutTo(sizeBytes: number): void {
    this.handle.truncate(sizeBytes)
    this.#sizeBytes = sizeBytes
    this.#strayTail = false
  }

  /**
   * Whole batches from a position on, all below `endOffset`; empty when there are none.
   * @throws CorruptionError when the first one is damaged; a damaged one further on ends the read before it.
   */
  read(request: LogFileRead): Buffer {
    const firstBytes = this.#firstBatchBytes(request)
    const available = this.#sizeBytes - request.position
    const buffer = Buffer.allocUnsafeSlow(Math.min(available, Math.max(firstBytes, request.maxBytes)))
    const bytes = buffer.subarray(0, this.handle.read(buffer, request.position))
    let end = 0
    let minOffset = request.minOffset
    while (end < bytes.length) {
      const sizeBytes = bytes.length - end < BATCH_HEADER_BYTES ? Number.POSITIVE_INFINITY : batchSizeBytes(bytes, end)
      if (end + sizeBytes > bytes.length) break
      const batch = bytes.subarray(end, end + sizeBytes)
      // A damaged batch may seem to lie beyond the bound: the first one is always checked.
      const beyond = batch.length >= BATCH_HEADER_BYTES && batchLastOffset(batch) >= request.endOffset
      if (beyond && end > 0) break
      const expected = { ...request, minOffset, endOffset: Number.POSITIVE_INFINITY }
      const problem = this.#problem(batch, request.position + end, expected)
      if (problem !== undefined) {
        if (end === 0) throw this.corruption(request.position, problem)
        break
      }
      if (beyond) break
      minOffset = batchLastOffset(batch) + 1
      end += sizeBytes
    }
    return bytes.subarray(0, end)
  }

  /** The error that says what is wrong with the bytes at `position`. */
  corruption(position: number, problem: string): CorruptionError {
    const message =
      `${this.path} is damaged at byte ${position}: ${problem}. ` +
      'Restart the log: it then moves the bad bytes aside and goes on after them'
    return new CorruptionError({ message, path: this.path, position })
  }

  async datasync(): Promise<void> {
    await this.handle.datasync()
  }

  close(): void {
    this.#handle?.close()
    this.#handle = undefined
  }

  #firstBatchBytes(request: LogFileRead): number {
    const header = Buffer.allocUnsafe(BATCH_HEADER_BYTES)
    const got = this.handle.read(header, request.position)
    const problem = headerProblem(header.subarray(0, got), { ...request, endOffset: Number.POSITIVE_INFINITY })
    if (problem !== undefined) throw this.corruption(request.position, problem)
    const sizeBytes = batchSizeBytes(header)
    if (request.position + sizeBytes > this.#sizeBytes) throw this.corruption(request.position, 'the batch is cut off')
    return sizeBytes
  }

  #problem(batch: Buffer, position: number, expected: ExpectedBatch): string | undefined {
    const problem = headerProblem(batch, expected)
    if (problem !== undefined) return problem
    const end = position + batch.length
    if (this.verified.covers(position, end)) return undefined
    if (!crcMatches(batch)) return 'the checksum does not match'
    this.verified.add(position, end)
    return undefined
  }

  #cutStrayTail(): void {
    try {
      this.cutTo(this.#sizeBytes)
    } catch {
      this.#strayTail = true
    }
  }
}
