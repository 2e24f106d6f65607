import type { FileSystem } from '@millrace/log'
import { readChunks } from './chunks.ts'

/** Lines in the order of the file, and the position after them. */
export interface LineBatch {
  /** Without their line ends, as latin1: one character per byte. A longer line than `longestLineBytes` is cut one byte behind that. */
  readonly lines: readonly string[]
  /** Bytes, unpacked ones for gzip, from the start of the file to behind the last of these lines. */
  readonly position: number
}

/** What to read of a file. */
export interface ReadLinesOptions {
  /** Bytes already read, unpacked ones for gzip. */
  readonly position: number
  /** Whether a last line without a line end is given too. */
  readonly takeRest: boolean
  /** Lines in a batch at most. */
  readonly batchLines: number
  readonly longestLineBytes: number
}

/**
 * Reads lines from a position to the end of the file as it is then.
 * @throws SourceFileError
 */
export async function* readLines(
  files: FileSystem,
  path: string,
  options: ReadLinesOptions
): AsyncGenerator<LineBatch, void, undefined> {
  const { batchLines, longestLineBytes } = options
  let rest = ''
  let leftOut = 0
  let position = options.position
  for await (const chunk of readChunks(files, path, position)) {
    const lines = chunk.toString('latin1').split('\n')
    const first = rest + lines[0]
    lines[0] = first.slice(0, longestLineBytes + 1)
    leftOut += first.length - lines[0].length
    rest = lines.pop() ?? ''
    if (lines.length > 0) {
      position += leftOut
      leftOut = 0
    }
    for (let at = 0; at < lines.length; at += batchLines) {
      const batch = lines.slice(at, at + batchLines)
      for (const line of batch) position += line.length + 1
      yield { lines: batch.map(withoutCarriageReturn), position }
    }
  }
  if (options.takeRest && rest !== '') {
    yield { lines: [withoutCarriageReturn(rest)], position: position + leftOut + rest.length }
  }
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
