import { crc32c } from '@millrace/log'
import { LevelCursor, unmaskedCrc } from './level-bytes.ts'

interface BlockHandle {
  readonly offset: number
  readonly length: number
}

const trailerBytes = 5
const footerBytes = 48
const magic = Buffer.from('57fb808b247547db', 'hex')

/**
 * Verifies every byte of a table (https://github.com/google/leveldb/blob/main/doc/table_format.md), written without compression: LevelDB itself
 * does so only for blocks read with an option that its Node binding does not have, and never for filters and indexes, whose damage makes keys
 * disappear.
 * @returns what is wrong, if anything.
 */
export function tableProblem(bytes: Buffer): string | undefined {
  const footer = bytes.length - footerBytes
  if (footer < 0 || !bytes.subarray(bytes.length - magic.length).equals(magic)) return 'it does not end as a table'
  const cursor = new LevelCursor(bytes.subarray(footer, bytes.length - magic.length))
  const metaIndex = handleAt(cursor)
  const index = handleAt(cursor)
  let expected = 0
  for (const handle of [metaIndex, index]) {
    const problem = blockProblem(bytes, handle, undefined)
    if (problem !== undefined) return problem
  }
  // Blocks follow each other without gaps, so that verifying all of them leaves only the footer.
  const data = handlesIn(bytes, index)
  const filters = handlesIn(bytes, metaIndex)
  if (data === undefined || filters === undefined) return 'an index is wrong'
  for (const handle of [...data, ...filters, metaIndex, index]) {
    const problem = blockProblem(bytes, handle, expected)
    if (problem !== undefined) return problem
    expected = handle.offset + handle.length + trailerBytes
  }
  return expected === footer ? undefined : `no block is at byte ${expected}`
}

function blockProblem(bytes: Buffer, handle: BlockHandle, expected: number | undefined): string | undefined {
  const { offset, length } = handle
  const end = offset + length
  if (!(end + trailerBytes <= bytes.length - footerBytes)) return 'a block lies outside'
  if (expected !== undefined && offset !== expected) return `no block is at byte ${expected}`
  if (crc32c(bytes, offset, end + 1) !== unmaskedCrc(bytes, end + 1))
    return `the block at byte ${offset} fails its checksum`
  return bytes[end] === 0 ? undefined : `the block at byte ${offset} is compressed, which this engine never does`
}

/** The handles that the values of an index block are. */
function handlesIn(bytes: Buffer, { offset, length }: BlockHandle): BlockHandle[] | undefined {
  const block = bytes.subarray(offset, offset + length)
  if (length < 4) return undefined
  const entriesEnd = length - 4 - 4 * block.readUInt32LE(length - 4)
  if (entriesEnd < 0) return undefined
  const cursor = new LevelCursor(block.subarray(0, entriesEnd))
  const handles: BlockHandle[] = []
  while (!cursor.atEnd) {
    cursor.number()
    const keyLength = cursor.number()
    const valueLength = cursor.number()
    cursor.take(keyLength)
    handles.push(handleAt(new LevelCursor(cursor.take(valueLength))))
    if (Number.isNaN(cursor.at)) return undefined
  }
  return handles
}

function handleAt(cursor: LevelCursor): BlockHandle {
  return { offset: cursor.number(), length: cursor.number() }
}
