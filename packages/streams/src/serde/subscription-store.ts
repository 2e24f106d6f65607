import { hashBytes } from './hash128.ts'
import type { Serde } from './serde.ts'

/**
 * What the store of a foreign-key join's subscriptions holds, and its bytes: per foreign key a head, the number of chunks (4 bytes, big-endian); chunks
 * of primary keys, each as its length (4 bytes) and bytes; and per foreign and primary key the member. Keys are bytes as latin1 text, so that
 * they are looked up, compared (in the order of bytes) and kept without being taken apart; only what is written to a disk is encoded.
 */
export type SubscriptionEntry = number | readonly string[] | Member | Buffer

/** A subscriber, without its key: the chunk that it is in, the partition of the left row (4 bytes each), whether there is a hash (1), the hash. */
export interface Member {
  readonly chunk: number
  readonly partition: number
  readonly hash: Buffer | null
}

const memberHeaderBytes = 9

/** Keys of the store. */
export const subscriptionKeys: Serde<unknown> = Object.freeze({
  name: 'bytes',
  encode: (key: unknown) => Buffer.from(String(key), 'latin1'),
  encodeInto(key: unknown, target: Buffer, at: number): number {
    const text = String(key)
    return at + text.length > target.length ? -1 : at + target.write(text, at, 'latin1')
  },
  decode: (bytes: Buffer, start: number, end: number) => bytes.toString('latin1', start, end),
  identity: (key: unknown) => String(key)
})

/** Entries of the store. They are read as bytes: which kind an entry is, who asks for it knows. */
export const subscriptionEntries: Serde<unknown> = Object.freeze({
  name: 'bytes',
  encode(entry: unknown): Buffer {
    if (Buffer.isBuffer(entry)) return entry
    if (typeof entry === 'number') return encodeChunkCount(entry)
    return Array.isArray(entry) ? encodeKeys(entry) : encodeMember(entry)
  },
  decode: (bytes: Buffer, start: number, end: number) => Buffer.from(bytes.subarray(start, end))
})

/** The number of chunks in a head; none: 0. */
export function toChunkCount(entry: unknown): number {
  if (Buffer.isBuffer(entry)) return entry.readUInt32BE(0)
  return typeof entry === 'number' ? entry : 0
}

/** The primary keys in a chunk. */
export function toKeys(entry: unknown): readonly string[] {
  if (!Buffer.isBuffer(entry)) return Array.isArray(entry) ? entry : []
  const keys: string[] = []
  for (let at = 0; at < entry.length; ) {
    const end = at + 4 + entry.readUInt32BE(at)
    keys.push(entry.toString('latin1', at + 4, end))
    at = end
  }
  return keys
}

/** The member that an entry is; undefined without one. */
export function toMember(entry: unknown): Member | undefined {
  if (!Buffer.isBuffer(entry)) return isMember(entry) ? entry : undefined
  const hash = entry[8] === 0 ? null : entry.subarray(memberHeaderBytes, memberHeaderBytes + hashBytes)
  return { chunk: entry.readUInt32BE(0), partition: entry.readInt32BE(4), hash }
}

function isMember(entry: unknown): entry is Member {
  return typeof entry === 'object' && entry !== null && 'chunk' in entry
}

function encodeChunkCount(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(count, 0)
  return bytes
}

function encodeKeys(keys: readonly string[]): Buffer {
  let length = 0
  for (const key of keys) length += 4 + key.length
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const key of keys) {
    at = bytes.writeUInt32BE(key.length, at)
    at += bytes.write(key, at, 'latin1')
  }
  return bytes
}

function encodeMember(entry: unknown): Buffer {
  const { chunk, partition, hash } = isMember(entry) ? entry : { chunk: 0, partition: 0, hash: null }
  const bytes = Buffer.allocUnsafe(memberHeaderBytes + (hash === null ? 0 : hashBytes))
  bytes.writeUInt32BE(chunk, 0)
  bytes.writeInt32BE(partition, 4)
  bytes[8] = hash === null ? 0 : 1
  hash?.copy(bytes, memberHeaderBytes)
  return bytes
}
