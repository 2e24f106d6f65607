import { posix } from 'node:path'

/**
 * What programs that rotate logs put behind a file's name: a number, a date, or seconds since the epoch (`app.log.1`, `app.log-20261121`,
 * `app.log.2026-11-21-13`, `app.log-1795265607`), `.old`, and `.gz` once it is packed.
 */
const SUFFIX = /^(?:\.\d{1,6}|[.-]\d{4}-?\d{2}-?\d{2}(?:[-_.T:]?\d+)*|[.-]\d{10}|\.old)?(?:\.gz)?$/

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

/**
 * Files in the order in which they were written, by what is behind the name of the file that they were: of numbers the highest is the oldest, of dates
 * (and what follows them) and seconds the lowest, whatever the files' times are: copying and packing changes those. Times say what names do not: how
 * `.old` and names of several kinds stand to each other, and, when every one of them says so, that higher numbers are newer.
 * @param of the name before it was rotated, and the time of the file that has it now.
 */
export function oldestFirst(
  files: readonly DatedFile[],
  { name: of, modifiedMs }: { readonly name: string; readonly modifiedMs: number | undefined }
): readonly DatedFile[] {
  const aged = files.map((file): AgedFile => ({ file, ...ageOf(posix.basename(file.path).slice(of.length)) }))
  const waiting = [...Map.groupBy(aged, ({ kind }) => kind)].map(([kind, some]) => {
    const sorted = some.toSorted(compare)
    return kind === 'number' && countsUp(sorted, modifiedMs) ? sorted.reverse() : sorted
  })
  const ordered: DatedFile[] = []
  while (ordered.length < files.length) {
    const heads = waiting.filter((kind) => kind.length > 0)
    const next = heads.reduce((one, other) => (compareTimes(one[0], other[0]) <= 0 ? one : other)).shift()
    if (next !== undefined) ordered.push(next.file)
  }
  return ordered
}

/** What a suffix says: within its kind, what compares as less is older. */
interface Age {
  readonly kind: 'number' | 'date' | 'seconds' | 'none'
  readonly order: readonly number[]
}

interface AgedFile extends Age {
  readonly file: DatedFile
}

const NUMBER = /^\.(\d{1,6})$/
const SECONDS = /^[.-](\d{10})$/
const DATE = /^[.-]((?:19[7-9]|20\d)\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])((?:[-_.T:]?\d+)*)$/

function ageOf(suffix: string): Age {
  const plain = suffix.replace(/\.gz$/, '')
  const number = NUMBER.exec(plain)
  if (number !== null) return { kind: 'number', order: [-Number(number[1])] }
  const date = DATE.exec(plain)
  if (date !== null) {
    const [, year, month, day, rest = ''] = date
    return { kind: 'date', order: [year, month, day, ...(rest.match(/\d+/g) ?? [])].map(Number) }
  }
  const seconds = SECONDS.exec(plain)
  return seconds === null ? { kind: 'none', order: [] } : { kind: 'seconds', order: [Number(seconds[1])] }
}

/**
 * Whether all times say that higher numbers are newer, the file without a number the newest. Files that were copied in the order of their names have such
 * times too, but the one without a number is the oldest of them.
 */
function countsUp(highestFirst: readonly AgedFile[], currentMs = Number.POSITIVE_INFINITY): boolean {
  const times = highestFirst.map(({ file }) => file.modifiedMs)
  return times.length > 1 && times[0] <= currentMs && times.every((time, i) => i === 0 || time < times[i - 1])
}

function compare(one: AgedFile, other: AgedFile): number {
  for (const [index, part] of one.order.entries()) {
    const difference = part - (other.order[index] ?? -1)
    if (difference !== 0) return difference
  }
  return one.order.length - other.order.length || compareTimes(one, other)
}

function compareTimes({ file: one }: AgedFile, { file: other }: AgedFile): number {
  return one.modifiedMs - other.modifiedMs || (one.path < other.path ? -1 : 1)
}
