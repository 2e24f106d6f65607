import { dirname } from 'node:path'
import type { FileSystem } from './environment.ts'

/**
 * Makes a directory and its missing parents so that they are still there after a power cut: each directory that got a new name is synced. One that
 * is there already may have been made by a process that was killed before it synced the name, so its own name is synced in any case.
 * @throws FileSystemError
 */
export async function makeDirectoryDurably(files: FileSystem, path: string): Promise<void> {
  const parents = [dirname(path)]
  for (let at = dirname(path); !files.exists(at) && at !== dirname(at); at = dirname(at)) parents.push(dirname(at))
  files.makeDirectory(path)
  for (const parent of parents) await files.syncDirectory(parent)
}
