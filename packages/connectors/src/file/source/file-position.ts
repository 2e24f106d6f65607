import type { FileIdentity } from './file-identity.ts'

/** What has been read of one path, and of what was there before: the source's position of the split that is named after the real path. */
export interface FilePosition extends FileIdentity {
  /** Bytes read of the file, unpacked ones for gzip. */
  readonly position: number
  /** Lines read of the file. */
  readonly lines: number
  /** Lines read of all files that were at the path. */
  readonly allLines: number
  /** Records made of those lines, by topic. */
  readonly records: Readonly<Record<string, number>>
}

/** Nothing read yet of a file, `before` of those that were at its path. */
export function startOf(identity: FileIdentity, before?: FilePosition): FilePosition {
  return { ...identity, position: 0, lines: 0, allLines: before?.allLines ?? 0, records: before?.records ?? {} }
}
