import type { FileSystem } from '../../environment/environment.ts'
import type { BadRange } from './batch-scan.ts'
import { CLEANED_SUFFIX } from './file-names.ts'
import type { LogFile } from './log-file.ts'

const COPY_BYTES = 1024 * 1024

/** What of a log file stays and what goes. */
export interface SetAside {
  readonly badRanges: readonly BadRange[]
  /** Where the last valid batch ends; what is behind it goes without being kept. */
  readonly endPosition: number
}

/** Name of the file that keeps the bytes of a bad range. */
export function damagedPath(logPath: string, position: number): string {
  return `${logPath}.damaged-${position}`
}

/**
 * Takes bad ranges out of a log file: copies each to `<segment>.log.damaged-<position>`, writes the good rest to a new file and
 * puts that in the place of the old one. A crash at any moment leaves the old file or the new one, and the copies. The segment's
 * summary goes before, since it does not hold for the new file.
 */
export async function setAside(
  files: FileSystem,
  log: LogFile,
  plan: SetAside & { readonly directory: string; readonly summaryPath: string }
): Promise<void> {
  for (const range of plan.badRanges) {
    await copyRanges(files, log, { to: damagedPath(log.path, range.from), ranges: [[range.from, range.to]] })
  }
  const cleaned = log.path + CLEANED_SUFFIX
  await copyRanges(files, log, { to: cleaned, ranges: goodRanges(plan) })
  if (files.exists(plan.summaryPath)) files.remove(plan.summaryPath)
  await files.syncDirectory(plan.directory)
  log.close()
  files.rename(cleaned, log.path)
  await files.syncDirectory(plan.directory)
}

function goodRanges(plan: SetAside): [number, number][] {
  const good: [number, number][] = []
  let from = 0
  for (const bad of plan.badRanges) {
    good.push([from, bad.from])
    from = bad.to
  }
  good.push([from, Math.max(from, plan.endPosition)])
  return good
}

async function copyRanges(
  files: FileSystem,
  log: LogFile,
  copy: { readonly to: string; readonly ranges: readonly (readonly [number, number])[] }
): Promise<void> {
  const target = files.open(copy.to, 'write')
  try {
    target.truncate(0)
    let written = 0
    for (const [from, to] of copy.ranges) {
      for (let position = from; position < to; position += COPY_BYTES) {
        const piece = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, to - position))
        const got = piece.subarray(0, log.handle.read(piece, position))
        target.write([got], written)
        written += got.length
      }
    }
    await target.datasync()
  } finally {
    target.close()
  }
}
