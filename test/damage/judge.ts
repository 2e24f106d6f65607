import { basename } from 'node:path'
import { MillraceError } from '@millrace/log'
import { type Inspection, inspect } from './data-directory.ts'
import type { Mutation } from './mutation.ts'

/** What became of a damaged directory. */
export type Verdict =
  | { readonly kind: 'harmless' }
  /** Opening it failed with an error that names the file. */
  | { readonly kind: 'refused' }
  /** It was reported, and nothing is missing but what the report says. */
  | { readonly kind: 'named' }
  | { readonly kind: 'wrong'; readonly what: string }

const HANG_MS = 30_000
/** Records in one batch at most. */
const BATCH_RECORDS = 12

/** Opens a damaged directory until nothing new is found, and compares what is in it with what was. */
export async function judge(directory: string, mutation: Mutation, expected: Inspection | undefined): Promise<Verdict> {
  if (expected === undefined) return wrong('there is nothing to compare with')
  try {
    const first = await inTime(inspect(directory))
    // What was found while reading is repaired at the next start.
    const second = first.unread.size > 0 ? await inTime(inspect(directory)) : first
    return compare([first, second], mutation, expected)
  } catch (error) {
    if (!(error instanceof MillraceError))
      return wrong(`not a typed error: ${error instanceof Error ? error.stack : error}`)
    const named = namesFile(error, mutation.file)
    return named ? { kind: 'refused' } : wrong(`${error.name} ${error.code} does not name the file: ${error.message}`)
  }
}

function compare(inspections: readonly Inspection[], mutation: Mutation, expected: Inspection): Verdict {
  const last = inspections.at(-1)
  if (last === undefined) return wrong('nothing was found')
  for (const [partition, error] of last.unread) return wrong(`${partition} cannot be read: ${error}`)
  const reports = inspections.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'damage' ? [event.report] : []))
  )
  const others = inspections.flatMap(({ events }) => events.filter(({ kind }) => kind !== 'damage'))
  let missing = 0
  let strays = false
  for (const [partition, records] of expected.records) {
    for (const [offset, text] of records) {
      // The coordinators' own records, written when the copy to compare with was opened.
      if (partition.startsWith('__') && timestampOf(text) > expected.beganMs) continue
      const found = last.records.get(partition)?.get(offset)
      if (found === text) continue
      if (found !== undefined) return wrong(`${partition} offset ${offset} reads ${found}, was ${text}`)
      const said = reports.some(
        (report) => report.path.includes(`/${partition}/`) && report.fromOffset <= offset && offset < report.toOffset
      )
      const tail = reports.some((report) => report.kind === 'torn-tail' && report.path.includes(`/${partition}/`))
      // A topic that a cut metadata log no longer knows: its files are put aside, and kept.
      const aside = others.some((event) => event.kind === 'stray-directory' && event.path.endsWith(`/${partition}`))
      strays ||= aside
      if (aside) continue
      if (!said && !tail) return wrong(`${partition} offset ${offset} is gone, and nothing says so`)
      missing++
    }
  }
  const named = reports.length > 0 || others.length > 0 || last.rebuilt.length > 0
  if (missing > BATCH_RECORDS && !mutation.text.includes('cut') && !mutation.text.includes('zeroed'))
    return wrong(`${missing} records are gone for one flipped bit`)
  if (missing > 0 && !named) return wrong(`${missing} records are gone`)
  const ofGroups = mutation.file.startsWith('__consumer_offsets')
  if (!ofGroups && !strays && last.groupOffsets !== expected.groupOffsets) {
    return wrong(`the groups are at ${last.groupOffsets}, were at ${expected.groupOffsets}`)
  }
  if (!ofGroups && !strays && last.store.join() !== expected.store.join()) {
    return wrong(`the store differs: ${last.store.length} entries, had ${expected.store.length}`)
  }
  return { kind: named ? 'named' : 'harmless' }
}

function timestampOf(text: string): number {
  return Number(text.slice(0, text.indexOf(' ')))
}

function namesFile(error: unknown, file: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const where = `${cause.message} ${'path' in cause ? cause.path : ''}`
    if (where.includes(basename(file))) return true
  }
  return false
}

function wrong(what: string): Verdict {
  return { kind: 'wrong', what }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const hung = Promise.withResolvers<never>()
  const timer = setTimeout(() => hung.reject(new TypeError('it hangs')), HANG_MS)
  try {
    return await Promise.race([work, hung.promise])
  } finally {
    clearTimeout(timer)
  }
}
