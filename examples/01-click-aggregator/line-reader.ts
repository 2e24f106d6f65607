import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { InputFileError } from './errors.ts'

/** Lines in the order of the file, and the position after them. */
export interface LineBatch {
  /**
   * Without their line ends, as latin1: one character per byte. Of a line that is longer than `LONGEST_LINE_BYTES` at least that much and one byte
   * more, so that it shows; the rest may be left out.
   */
  readonly lines: readonly string[]
  /** Bytes, unpacked ones for gzip, from the start of the file to behind the last of these lines. */
  readonly position: number
}

/** How a file is known: by its real path and the bytes it begins with. */
export interface FileIdentity {
  readonly path: string
  /** Hex SHA-256 of the first `hashedBytes` bytes. */
  readonly hash: string
  readonly hashedBytes: number
}

/** A longer line fits no record of the log, and no server writes one. */
export const LONGEST_LINE_BYTES = 1_000_000

const HASHED_BYTES = 1024
const CHUNK_BYTES = 1 << 20
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])

/**
 * The file's identity now. A file shorter than a KiB has a short one, and keeps it when it grows.
 * @param hashedBytes how many bytes to hash, when it was seen before.
 * @throws InputFileError when it cannot be opened or is shorter than that.
 */
export function identifyFile(file: string, hashedBytes?: number): FileIdentity {
  return withFile(file, (descriptor) => {
    const head = Buffer.alloc(hashedBytes ?? HASHED_BYTES)
    const read = readSync(descriptor, head, 0, head.length, 0)
    if (hashedBytes !== undefined && read < hashedBytes)
      throw new InputFileError(file, shrankMessage(hashedBytes, read))
    const hash = createHash('sha256').update(head.subarray(0, read)).digest('hex')
    return { path: realpathSync(file), hash, hashedBytes: read }
  })
}

/** A text that changes when the file is written to or replaced. */
export function fileVersion(file: string): string {
  return withFile(file, (descriptor) => {
    const { ino, size, mtimeMs } = fstatSync(descriptor)
    return `${ino} ${size} ${mtimeMs}`
  })
}

/** What to say of a file that is shorter than what was read of it before. */
export function shrankMessage(before: number, now: number): string {
  return `it shrank: ${before} bytes were read of it before, it has ${now} now. Give the new file another name`
}

/** What to read of a file. */
export interface ReadLinesOptions {
  /** Bytes already read, unpacked ones for gzip. */
  readonly position: number
  /** Whether a last line without a line end is given too. */
  readonly takeRest: boolean
  /** Lines in a batch at most. */
  readonly batchLines: number
}

/**
 * Reads lines from a position to the end of the file as it is now.
 * @throws InputFileError
 */
export async function* readLines(file: string, options: ReadLinesOptions): AsyncGenerator<LineBatch, void, undefined> {
  let rest = ''
  let leftOut = 0
  let position = options.position
  for await (const chunk of isGzip(file) ? unpackedChunks(file, position) : plainChunks(file, position)) {
    const lines = chunk.toString('latin1').split('\n')
    const first = rest + lines[0]
    lines[0] = first.slice(0, LONGEST_LINE_BYTES + 1)
    leftOut += first.length - lines[0].length
    rest = lines.pop() ?? ''
    if (lines.length > 0) {
      position += leftOut
      leftOut = 0
    }
    for (let at = 0; at < lines.length; at += options.batchLines) {
      const batch = lines.slice(at, at + options.batchLines)
      for (const line of batch) position += line.length + 1
      yield { lines: batch.map(withoutCarriageReturn), position }
    }
  }
  if (options.takeRest && rest !== '')
    yield { lines: [withoutCarriageReturn(rest)], position: position + leftOut + rest.length }
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

function isGzip(file: string): boolean {
  return withFile(file, (descriptor) => {
    const magic = Buffer.alloc(2)
    return readSync(descriptor, magic, 0, 2, 0) === 2 && magic.equals(GZIP_MAGIC)
  })
}

async function* plainChunks(file: string, position: number): AsyncGenerator<Buffer> {
  const size = withFile(file, (descriptor) => fstatSync(descriptor).size)
  if (size < position) throw new InputFileError(file, shrankMessage(position, size))
  for (let at = position; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const read = withFile(file, (descriptor) => readSync(descriptor, chunk, 0, chunk.length, at))
    if (read === 0) return
    at += read
    yield chunk.subarray(0, read)
  }
}

/** Gzip cannot be entered in the middle: what was read before is unpacked again and skipped. */
async function* unpackedChunks(file: string, position: number): AsyncGenerator<Buffer> {
  let passed = 0
  const packed = createReadStream(file, { highWaterMark: CHUNK_BYTES })
  const unpacked = packed.pipe(createGunzip({ chunkSize: CHUNK_BYTES }))
  packed.on('error', (error) => unpacked.destroy(error))
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const skip = Math.min(chunk.length, Math.max(0, position - passed))
      passed += chunk.length
      if (skip < chunk.length) yield chunk.subarray(skip)
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new InputFileError(file, `not a whole gzip file after ${passed} unpacked bytes (${detail}). Pack it again`, {
      cause: error
    })
  }
  if (passed < position) throw new InputFileError(file, shrankMessage(position, passed))
}

function withFile<T>(file: string, use: (descriptor: number) => T): T {
  let descriptor: number
  try {
    // Opening a pipe would wait for its writer, and what was read of it could not be read again.
    if (!statSync(file).isFile()) throw new InputFileError(file, 'it is no regular file. Name a file')
    descriptor = openSync(file, 'r')
  } catch (error) {
    if (error instanceof InputFileError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new InputFileError(file, `cannot be opened (${detail}). Check the path`, { cause: error })
  }
  try {
    return use(descriptor)
  } catch (error) {
    if (error instanceof InputFileError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new InputFileError(file, `cannot be read (${detail})`, { cause: error })
  } finally {
    closeSync(descriptor)
  }
}
