import { LevelCursor } from './level-bytes.ts'

/** What a manifest says of the directory: the log still needed, and the tables with their sizes in bytes. */
export interface LevelVersion {
  readonly logNumber: number
  readonly tables: ReadonlyMap<number, number>
}

const comparator = 1
const logNumberTag = 2
const nextFile = 3
const lastSequence = 4
const compactPointer = 5
const deletedFile = 6
const newFile = 7
const previousLog = 9

/** Applies a manifest's edits (LevelDB 1.20, `version_edit.cc`); undefined when one of them is not understood. */
export function readVersion(edits: readonly Buffer[]): LevelVersion | undefined {
  const tables = new Map<number, number>()
  let logNumber = 0
  for (const edit of edits) {
    const cursor = new LevelCursor(edit)
    // A table that only moves to another level is deleted and made in one edit, in that order of tags.
    while (!cursor.atEnd) {
      const tag = cursor.number()
      if (tag === comparator) cursor.slice()
      else if (tag === logNumberTag) logNumber = cursor.number()
      else if (tag === nextFile || tag === lastSequence || tag === previousLog) cursor.number()
      else if (tag === compactPointer) {
        cursor.number()
        cursor.slice()
      } else if (tag === deletedFile) {
        cursor.number()
        tables.delete(cursor.number())
      } else if (tag === newFile) {
        cursor.number()
        const number = cursor.number()
        tables.set(number, cursor.number())
        cursor.slice()
        cursor.slice()
      } else return undefined
      if (Number.isNaN(cursor.at)) return undefined
    }
  }
  return { logNumber, tables }
}
