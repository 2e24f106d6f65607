import { stringifyLosslessly } from '../../rows/lossless-json.ts'
import type { FileFormat } from './file-format.ts'
import { plainRow } from './plain-values.ts'

/** One JSON object a line. Bytes are base64, times ISO 8601. */
export function ndjson(): FileFormat {
  return {
    extension: 'ndjson',
    begin: () => ({
      append: (rows) => Buffer.from(rows.map((row) => `${stringifyLosslessly(plainRow(row))}\n`).join('')),
      end: () => Buffer.alloc(0)
    })
  }
}
