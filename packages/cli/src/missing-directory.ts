import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { realEnvironment } from '@millrace/log'

/** Each log's directory has it. */
const IDENTITY_FILE = 'meta.properties'

/** The directory that a `file:` URL of a log names, if there is no log in it: opening it would make one. */
export function missingDirectory(log: string): string | undefined {
  if (!log.startsWith('file:')) return undefined
  const directory = log.startsWith('file://') ? fileURLToPath(log) : log.slice('file:'.length)
  const { files } = realEnvironment()
  const found = resolve(directory)
  if (directory === '' || files.exists(join(found, IDENTITY_FILE))) return undefined
  // What it is instead of a directory, opening it says.
  return files.exists(found) && files.stat(found).kind !== 'directory' ? undefined : directory
}
