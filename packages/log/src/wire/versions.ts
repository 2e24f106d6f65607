import { InvariantError } from '../errors.ts'
import type { Versions } from './schema.ts'

/** Whether a version lies in a range such as `'0+'`, `'3-5'` or `'12'`. No range holds no version. */
export function inVersions(range: Versions | undefined, version: number): boolean {
  if (range === undefined) return false
  const match = /^(\d+)(\+|-(\d+))?$/.exec(range)
  if (match === null) throw new InvariantError(`'${range}' is no range of versions: write '0+', '3-5' or '12'`)
  const first = Number(match[1])
  if (match[2] === '+') return version >= first
  return version >= first && version <= Number(match[3] ?? first)
}
