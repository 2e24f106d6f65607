/**
 * What programs that rotate logs put behind a file's name: a number, a date, or seconds since the epoch (`app.log.1`, `app.log-20261121`,
 * `app.log.2026-11-21-13`, `app.log-1795265607`), `.old`, and `.gz` once it is packed.
 */
const SUFFIX = /^(?:\.\d{1,6}|[.-]\d{4}-?\d{2}-?\d{2}(?:[-_.T:]?\d+)*|[.-]\d{10}|\.old)?(?:\.gz)?$/
const NUMBER = /\.(\d+)(?:\.gz)?$/

/** A file beside others. */
export interface DatedFile {
  readonly path: string
  readonly modifiedMs: number
}

/** Whether a file of this name is an earlier one of another name. */
export function isRotatedName(name: string, of: string): boolean {
  return name.length > of.length && name.startsWith(of) && SUFFIX.test(name.slice(of.length))
}

/** Without the packed copy of a file that is still there itself: its packing may not be over. */
export function withoutCopies(names: readonly string[]): readonly string[] {
  const all = new Set(names)
  return names.filter((name) => !name.endsWith('.gz') || !all.has(name.slice(0, -'.gz'.length)))
}

/** The order in which rotated files of one name were written: by time; of the same time the higher number is older, the lower date. */
export function byAge(one: DatedFile, other: DatedFile): number {
  if (one.modifiedMs !== other.modifiedMs) return one.modifiedMs - other.modifiedMs
  const numbers = [one, other].map(({ path }) => Number(NUMBER.exec(path)?.[1] ?? 0))
  if (numbers[0] !== numbers[1]) return (numbers[1] ?? 0) - (numbers[0] ?? 0)
  return one.path < other.path ? -1 : 1
}
