import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { realEnvironment } from '@millrace/log'

/** The directory that a `file:` URL of a log names, if there is none: opening it would make one. */
export function missingDirectory(log: string): string | undefined {
  if (!log.startsWith('file:')) return undefined
  const directory = log.startsWith('file://') ? fileURLToPath(log) : log.slice('file:'.length)
  return directory === '' || realEnvironment().files.exists(resolve(directory)) ? undefined : directory
}
