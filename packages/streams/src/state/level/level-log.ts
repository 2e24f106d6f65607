import { crc32c } from '@millrace/log'
import { unmaskedCrc } from './level-bytes.ts'

/** What a file in LevelDB's log format holds. */
export interface LevelLog {
  readonly records: readonly Buffer[]
  /** Some bytes are no valid record. */
  readonly hasBadBytes: boolean
  /** A record follows bad bytes, so these are not the torn end of a crash. */
  readonly hasHole: boolean
}

const blockBytes = 32_768
const headerBytes = 7
const full = 1
const first = 2
const middle = 3
const last = 4

/**
 * Reads a log (https://github.com/google/leveldb/blob/main/doc/log_format.md) as LevelDB does: after a bad record it goes on with the next
 * block. LevelDB says nothing about that; this does.
 */
export function readLevelLog(bytes: Buffer): LevelLog {
  const records: Buffer[] = []
  let parts: Buffer[] | undefined
  let hasBadBytes = false
  let hasHole = false
  const add = (record: Buffer): void => {
    records.push(record)
    hasHole = hasBadBytes
  }
  for (let block = 0; block < bytes.length; block += blockBytes) {
    const end = Math.min(bytes.length, block + blockBytes)
    for (let at = block; at + headerBytes <= end; ) {
      const length = bytes.readUInt16LE(at + 4)
      const type = bytes[at + 6]
      const next = at + headerBytes + length
      if (next > end || type < full || type > last || crc32c(bytes, at + 6, next) !== unmaskedCrc(bytes, at)) {
        hasBadBytes = true
        parts = undefined
        break
      }
      const content = bytes.subarray(at + headerBytes, next)
      at = next
      if (type === full) add(content)
      else if (type === first) parts = [content]
      else parts?.push(content)
      if (type !== middle && type !== first) {
        if (type === last && parts !== undefined) add(Buffer.concat(parts))
        parts = undefined
      }
    }
  }
  return { records, hasBadBytes: hasBadBytes || parts !== undefined, hasHole }
}
