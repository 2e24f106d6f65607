import { type FileSystem, sha256 } from '@millrace/log'
import { readHead } from './chunks.ts'

/** How a file is known whatever its name is: by the bytes it begins with, unpacked ones of a gzip file. */
export interface FileIdentity {
  /** Hex SHA-256 of the first `hashedBytes` bytes. */
  readonly hash: string
  readonly hashedBytes: number
}

const HASHED_BYTES = 1024

/**
 * The file's identity now. A file shorter than a KiB has a short one, and keeps it when it grows.
 * @throws SourceFileError
 */
export async function identifyFile(files: FileSystem, path: string): Promise<FileIdentity> {
  return identityOf(await readHead(files, path, HASHED_BYTES))
}

/**
 * What a file that was known is now: the identity, widened when a short file has grown; undefined when it begins with other bytes, or fewer.
 * @throws SourceFileError
 */
export async function recognize(
  files: FileSystem,
  path: string,
  known: FileIdentity
): Promise<FileIdentity | undefined> {
  const head = await readHead(files, path, HASHED_BYTES)
  return identityOf(head.subarray(0, known.hashedBytes)).hash === known.hash ? identityOf(head) : undefined
}

/** A text that changes when the file is written to or replaced. */
export function fileVersion(files: FileSystem, path: string): string {
  const { sizeBytes, modifiedMs } = files.stat(path)
  return `${sizeBytes} ${modifiedMs}`
}

function identityOf(head: Buffer): FileIdentity {
  return { hash: sha256(head).toString('hex'), hashedBytes: head.length }
}
