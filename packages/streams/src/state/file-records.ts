import { crc32c } from '@millrace/log'

/** One change in a file engine's log. */
export type ChangeRecord =
  | { readonly kind: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly key: Buffer }
  | { readonly kind: 'clear'; readonly gte: Buffer; readonly lt: Buffer }

/**
 * A batch in the log: magic (4 bytes), length of the changes (4), CRC-32C of the changes, mixed with the length (4), changes. A change: kind (1), length of the
 * first part (4), of the second (4), both parts: key and value, key and nothing, or the bounds of a range.
 */
const magic = 0x4d_52_53_31
const headerBytes = 12
const kinds = ['put', 'delete', 'clear'] as const
const nothing = Buffer.alloc(0)

/** The bytes of one batch. */
export function encodeChanges(changes: readonly ChangeRecord[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(headerBytes)]
  for (const change of changes) {
    const first = change.kind === 'clear' ? change.gte : change.key
    const second = change.kind === 'put' ? change.value : change.kind === 'clear' ? change.lt : nothing
    const head = Buffer.allocUnsafe(9)
    head[0] = kinds.indexOf(change.kind)
    head.writeUInt32BE(first.length, 1)
    head.writeUInt32BE(second.length, 5)
    parts.push(head, first, second)
  }
  const bytes = Buffer.concat(parts)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt32BE(bytes.length - headerBytes, 4)
  bytes.writeUInt32BE(checksum(bytes, 0, bytes.length), 8)
  return bytes
}

/** What a log holds: its changes and where they end; or what is wrong. */
export interface ReadChanges {
  readonly changes: readonly ChangeRecord[]
  readonly endByte: number
  readonly problem?: string
}

/**
 * Reads all batches. The first one was written with the file, atomically, so it must be whole; a later bad one is the torn end of a crash, unless a
 * valid batch follows.
 */
export function readChanges(bytes: Buffer): ReadChanges {
  const changes: ChangeRecord[] = []
  let at = 0
  for (let end = batchEnd(bytes, at); end > 0; end = batchEnd(bytes, at)) {
    readBatch(bytes.subarray(at + headerBytes, end), changes)
    at = end
  }
  if (at === 0) return { changes, endByte: 0, problem: 'its first batch is wrong' }
  for (let later = at + 1; later + headerBytes <= bytes.length; later++) {
    if (batchEnd(bytes, later) > 0)
      return { changes, endByte: at, problem: `the bytes from ${at} to ${later} are wrong` }
  }
  return { changes, endByte: at }
}

/** Where the batch that begins at `at` ends; 0 when there is no valid one. */
function batchEnd(bytes: Buffer, at: number): number {
  if (at + headerBytes > bytes.length || bytes.readUInt32BE(at) !== magic) return 0
  const end = at + headerBytes + bytes.readUInt32BE(at + 4)
  if (end > bytes.length) return 0
  return bytes.readUInt32BE(at + 8) === checksum(bytes, at, end) ? end : 0
}

/** Over length and changes: everything but the magic and itself. */
function checksum(bytes: Buffer, at: number, end: number): number {
  return (crc32c(bytes, at + headerBytes, end) ^ bytes.readUInt32BE(at + 4)) >>> 0
}

function readBatch(bytes: Buffer, into: ChangeRecord[]): void {
  for (let at = 0; at < bytes.length; ) {
    const kind = kinds[bytes[at]]
    const firstEnd = at + 9 + bytes.readUInt32BE(at + 1)
    const secondEnd = firstEnd + bytes.readUInt32BE(at + 5)
    const first = Buffer.from(bytes.subarray(at + 9, firstEnd))
    const second = Buffer.from(bytes.subarray(firstEnd, secondEnd))
    if (kind === 'put') into.push({ kind, key: first, value: second })
    else if (kind === 'delete') into.push({ kind, key: first })
    else into.push({ kind, gte: first, lt: second })
    at = secondEnd
  }
}
