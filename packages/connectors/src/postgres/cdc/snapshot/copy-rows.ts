import type { CdcClient, ProtocolConnection, ProtocolStatement } from '../connection.ts'
import type { ValueText } from '../types/column-encoder.ts'

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

/** Rows as they came, one behind the other from the block's first byte on. */
export interface RowBlock {
  readonly bytes: Buffer
  /** Where each ends. */
  readonly ends: readonly number[]
}

/** Rows that `COPY … TO STDOUT` gave, and the first row of each `SELECT` that was sent with it. */
export interface CopiedRows {
  /** Without a buffer for each row: there are so many. */
  readonly blocks: readonly RowBlock[]
  readonly count: number
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
  readonly #blocks: { readonly bytes: Buffer; readonly ends: number[] }[] = []
  readonly #selected: (readonly (string | null)[])[] = []
  #used = 0
  #count = 0
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
    let block = this.#blocks.at(-1)
    if (block === undefined || this.#used + chunk.length > block.bytes.length) {
      block = { bytes: Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, chunk.length)), ends: [] }
      this.#blocks.push(block)
      this.#used = 0
    }
    chunk.copy(block.bytes, this.#used)
    this.#used += chunk.length
    block.ends.push(this.#used)
    this.#count++
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
      const [blocks, count, sizeBytes] = [this.#blocks, this.#count, this.#sizeBytes]
      this.result.resolve({ blocks, count, sizeBytes, selected: this.#selected })
    }
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** The last row, in bytes of its own; undefined when there is none. */
export function lastRow({ blocks }: CopiedRows): Buffer | undefined {
  const block = blocks.at(-1)
  return block && Buffer.from(block.bytes.subarray(block.ends.at(-2) ?? 0, block.ends.at(-1)))
}

/**
 * Splits a row of COPY's text format into start and length of each column in `source`, with length -1 for null; escapes are taken off in place.
 */
export function splitCopiedRow({ source, start: first, end }: ValueText, places: Int32Array): void {
  const last = source[end - 1] === NEWLINE ? end - 1 : end
  let column = 0
  let start = first
  let to = first
  for (let at = first; at <= last; at++) {
    const byte = at === last ? TAB : source[at]
    if (byte === TAB) {
      places[column++] = start
      places[column++] = to - start
      start = at + 1
      to = start
    } else if (byte !== BACKSLASH) {
      if (to !== at) source[to] = byte
      to++
    } else if (source[at + 1] === 0x4e && to === start) {
      places[column++] = start
      places[column++] = -1
      at += 2
      start = at + 1
      to = start
    } else {
      at++
      source[to++] = ESCAPES.get(source[at]) ?? source[at]
    }
  }
}
