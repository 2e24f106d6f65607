import { dirname } from 'node:path'
import type { FileSystem } from './environment.ts'

/**
 * Puts `bytes` in the place of the file at `path`: after a crash at any instant the file is the old one or the new one, whole, and when the
 * promise has resolved it is the new one. `<path>.tmp` is used on the way and may be left by a crash.
 * @throws FileSystemError; the old file is untouched then, unless it was the last step, the directory's sync, that failed.
 */
export async function writeFileAtomically(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  const file = files.open(temporary, 'write')
  try {
    file.truncate(0)
    file.write([bytes], 0)
    await file.datasync()
  } finally {
    file.close()
  }
  files.rename(temporary, path)
  await files.syncDirectory(dirname(path))
}
