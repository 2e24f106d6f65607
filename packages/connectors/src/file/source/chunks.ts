import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { FileHandle, FileSystem } from '@millrace/log'
import { SourceFileError } from '../errors.ts'

const CHUNK_BYTES = 1 << 20
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])

/**
 * The file's bytes from a position, unpacked ones of a gzip file, to the end as it is then.
 * @throws SourceFileError
 */
export async function* readChunks(files: FileSystem, path: string, position: number): AsyncGenerator<Buffer> {
  const file = openFile(files, path)
  try {
    yield* isGzip(file) ? unpackedChunks(file, position) : plainChunks(file, position)
  } finally {
    file.close()
  }
}

/**
 * The first bytes of a file, unpacked, `lengthBytes` or as many as there are.
 * @throws SourceFileError
 */
export async function readHead(files: FileSystem, path: string, lengthBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  const file = openFile(files, path)
  try {
    for await (const chunk of isGzip(file) ? unpackedChunks(file, 0) : plainChunks(file, 0)) {
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes >= lengthBytes) break
    }
  } finally {
    file.close()
  }
  return Buffer.concat(chunks).subarray(0, lengthBytes)
}

/** What to say of a file that is shorter than what was read of it before. */
export function shrank(path: string, before: number, now: number): SourceFileError {
  return new SourceFileError(
    path,
    `it shrank: ${before} bytes were read of it before, it has ${now} now. Give the new file another name`
  )
}

function openFile(files: FileSystem, path: string): FileHandle {
  try {
    // Opening a pipe would wait for its writer, and what was read of it could not be read again.
    if (files.stat(path).kind !== 'file') throw new SourceFileError(path, 'it is no regular file. Name a file')
    return files.open(path, 'read')
  } catch (error) {
    if (error instanceof SourceFileError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new SourceFileError(path, `cannot be opened (${detail}). Check the path`, { cause: error })
  }
}

function isGzip(file: FileHandle): boolean {
  const magic = Buffer.alloc(GZIP_MAGIC.length)
  return file.read(magic, 0) === GZIP_MAGIC.length && magic.equals(GZIP_MAGIC)
}

function* plainChunks(file: FileHandle, position: number): Generator<Buffer> {
  if (file.size() < position) throw shrank(file.path, position, file.size())
  for (let at = position; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const read = file.read(chunk, at)
    if (read === 0) return
    at += read
    yield chunk.subarray(0, read)
  }
}

/** Gzip cannot be entered in the middle: what was read before is unpacked again and skipped. */
async function* unpackedChunks(file: FileHandle, position: number): AsyncGenerator<Buffer> {
  let passed = 0
  const packed = Readable.from(plainChunks(file, 0))
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
    const problem = `not a whole gzip file after ${passed} unpacked bytes (${detail}). Pack it again`
    throw new SourceFileError(file.path, problem, { cause: error })
  } finally {
    packed.destroy()
  }
  if (passed < position) throw shrank(file.path, position, passed)
}
