import type { CdcClient, ProtocolConnection, ProtocolStatement } from '../connection.ts'

const TAB = 0x09
const BACKSLASH = 0x5c
const NEWLINE = 0x0a
const BLOCK_BYTES = 1024 * 1024
/** What a letter behind a backslash stands for in COPY's text format; others stand for themselves. */
const ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x76, 0x0b]
])

/** Rows that `COPY … TO STDOUT` gave, as bytes, and the first row of each `SELECT` that was sent with it. */
export interface CopiedRows {
  readonly rows: readonly Buffer[]
  readonly sizeBytes: number
  readonly selected: readonly (readonly (string | null)[])[]
}

/** Runs statements of which one is a COPY, in one round trip. */
export function copyRows(client: CdcClient, sql: string): Promise<CopiedRows> {
  const statement = new CopyStatement(sql)
  client.query(statement)
  return statement.result.promise
}

class CopyStatement implements ProtocolStatement {
  readonly result: PromiseWithResolvers<CopiedRows> = Promise.withResolvers()
  readonly #sql: string
  readonly #rows: Buffer[] = []
  readonly #selected: (readonly (string | null)[])[] = []
  #block = Buffer.alloc(0)
  #used = 0
  #sizeBytes = 0
  #error: Error | undefined

  constructor(sql: string) {
    this.#sql = sql
  }

  submit(connection: ProtocolConnection): void {
    connection.query(this.#sql)
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    const { chunk } = message
    if (this.#used + chunk.length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, chunk.length))
      this.#used = 0
    }
    chunk.copy(this.#block, this.#used)
    this.#rows.push(this.#block.subarray(this.#used, this.#used + chunk.length))
    this.#used += chunk.length
    this.#sizeBytes += chunk.length
  }

  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
    this.#selected.push(message.fields)
  }

  handleError(error: Error): void {
    this.#error = error
    this.result.reject(error)
  }

  handleReadyForQuery(): void {
    if (!this.#error) {
      this.result.resolve({ rows: this.#rows, sizeBytes: this.#sizeBytes, selected: this.#selected })
    }
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/**
 * Splits a row of COPY's text format into start and length of each column, with length -1 for null; escapes are taken off in place.
 * @returns the bytes behind the places.
 */
export function splitCopiedRow(row: Buffer, places: Int32Array): void {
  let end = row.length
  if (row[end - 1] === NEWLINE) end--
  let column = 0
  let start = 0
  let to = 0
  for (let at = 0; at <= end; at++) {
    const byte = at === end ? TAB : row[at]
    if (byte === TAB) {
      places[column++] = start
      places[column++] = to - start
      start = at + 1
      to = start
    } else if (byte !== BACKSLASH) {
      if (to !== at) row[to] = byte
      to++
    } else if (row[at + 1] === 0x4e && to === start) {
      places[column++] = start
      places[column++] = -1
      at += 2
      start = at + 1
      to = start
    } else {
      at++
      row[to++] = ESCAPES.get(row[at]) ?? row[at]
    }
  }
}
