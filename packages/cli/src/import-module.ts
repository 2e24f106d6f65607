import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { realEnvironment } from '@millrace/log'

/** What a file exports. */
export function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  return import(pathToFileURL(resolve(file)).href)
}

/** Why a file could not be imported: that it is not there, or where it is wrong. */
export function importProblem(file: string, cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  // A module that is missing may be one that the file imports.
  if (!realEnvironment().files.exists(resolve(file))) return 'there is no such file'
  return `${placeOf(cause)}${cause.message}`
}

/** A stack begins with the place where the source cannot be parsed. */
function placeOf({ stack = '' }: Error): string {
  const [first = ''] = stack.split('\n', 1)
  const place = /^(?:file:\/\/)?(\/.*:\d+)$/.exec(first)
  return place === null ? '' : `${place[1]}: `
}
