import type { Row } from '../../rows/row-change.ts'

/** How rows are written to files: `ndjson()`, `csv()`, `parquet()`. */
export interface FileFormat {
  /** Ending of the files' names, without a dot. */
  readonly extension: string
  /** Begins a file. */
  begin(): FileEncoder
}

/** One file. */
export interface FileEncoder {
  /** The bytes of rows, to be written behind those before; empty for a format that is written at its end. @throws RowFormatError */
  append(rows: readonly Row[]): Buffer
  /** What comes behind the last row. The file's bytes are all that was returned, in order. */
  end(): Buffer
}

/** Column that marks a deleted row, of which only the key is known. */
export const DELETED_COLUMN = '__deleted'
