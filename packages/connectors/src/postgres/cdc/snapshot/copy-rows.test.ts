import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CdcClient, ProtocolStatement } from '../connection.ts'
import { type CopiedRows, copyRows, lastRow, splitCopiedRow } from './copy-rows.ts'

type Column = string | null

/** As PostgreSQL writes it. */
function copied(row: readonly Column[]): Buffer {
  const escaped = (text: string) =>
    text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return Buffer.from(`${row.map((column) => (column === null ? '\\N' : escaped(column))).join('\t')}\n`)
}

/** What `copyRows` makes of a server that sends these rows, each in a buffer that is written over afterwards. */
async function received(rows: readonly (readonly Column[])[]): Promise<CopiedRows> {
  const started = Promise.withResolvers<ProtocolStatement>()
  const client: CdcClient = Object({ query: (statement: ProtocolStatement) => started.resolve(statement) })
  const result = copyRows(client, 'copy')
  const statement = await started.promise
  for (const row of rows) {
    const chunk = copied(row)
    statement.handleCopyData({ chunk })
    chunk.fill(0)
  }
  statement.handleReadyForQuery()
  return result
}

function columnsOf(source: Buffer, places: Int32Array): Column[] {
  return Array.from({ length: places.length / 2 }, (_, column) => {
    const [start, length] = [places[column * 2], places[column * 2 + 1]]
    return length < 0 ? null : source.toString('utf8', start, start + length)
  })
}

function allOf({ blocks }: CopiedRows, width: number): Column[][] {
  const places = new Int32Array(width * 2)
  return blocks.flatMap(({ bytes: source, ends }) =>
    ends.map((end, at) => {
      splitCopiedRow({ source, start: ends[at - 1] ?? 0, end }, places)
      return columnsOf(source, places)
    })
  )
}

describe('rows of COPY', () => {
  const column = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(null, '', '\\N', '\\', '\t\n\r\\', 'N', 'x'.repeat(300_000))
  )

  it('are what the columns were, in blocks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(column, column, column), { maxLength: 12 }), async (rows) => {
        const got = await received(rows)
        expect(got.count).toBe(rows.length)
        expect(got.sizeBytes).toBe(rows.reduce((sum, row) => sum + copied(row).length, 0))
        const last = lastRow(got)
        expect(last).toEqual(rows.length === 0 ? undefined : copied(rows[rows.length - 1]))
        expect(allOf(got, 3)).toEqual(rows)
      }),
      { numRuns: 100 }
    )
  })
})
