import { dirname } from 'node:path'
import type { FileSystem } from './environment.ts'

/**
 * Makes a directory and its missing parents so that they are still there after a power cut: each directory that got a new name is synced.
 * @throws FileSystemError
 */
export async function makeDirectoryDurably(files: FileSystem, path: string): Promise<void> {
  const parents: string[] = []
  for (let at = path; !files.exists(at) && at !== dirname(at); at = dirname(at)) parents.push(dirname(at))
  files.makeDirectory(path)
  for (const parent of parents) await files.syncDirectory(parent)
}
