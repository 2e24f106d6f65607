import { type Hash128, hashBytes, readHash, writeHash } from './hash128.ts'
import type { Serde } from './serde.ts'

/**
 * What the store of a foreign-key join's subscriptions holds, and its bytes: per foreign key a list (its three numbers, 4 bytes each, big-endian, then
 * keys); the full chunks of such a list, which are keys only; and per foreign and primary key the member. A key is its length (4 bytes) and its
 * bytes. In memory keys are bytes as latin1 text, so that they are looked up, compared (in the order of bytes) and kept without being taken apart;
 * only what is written to a disk is encoded.
 */
export type SubscriptionEntry = SubscriberList | readonly string[] | Member | Buffer

/** A subscriber, without its key: the chunk that it is in, the partition of the left row (4 bytes each), whether there is a hash (1), the hash. */
export interface Member {
  readonly chunk: number
  readonly partition: number
  readonly hash: Hash128 | null
}

/** The numbers of a {@link SubscriberList}. */
export interface ListNumbers {
  /** The first full chunk. */
  readonly first: number
  /** The chunk that is being filled: the full ones end before it. */
  readonly last: number
  /** Keys that are not there in vain. */
  readonly subscribers: number
}

/** Who subscribed to a foreign key: where the full chunks are, and the keys of the one that is being filled. It never changes. */
export class SubscriberList implements ListNumbers {
  readonly first: number
  readonly last: number
  readonly subscribers: number
  /** How many keys the last chunk has. */
  readonly filled: number
  /** What comes after the first {@link filled} belongs to a list that was made of this one. */
  readonly #keys: string[]

  /** @param keys Of the last chunk; they are given away. */
  constructor({ first, last, subscribers }: ListNumbers, keys: string[]) {
    this.first = first
    this.last = last
    this.subscribers = subscribers
    this.filled = keys.length
    this.#keys = keys
  }

  /** The keys of the last chunk. */
  get keys(): readonly string[] {
    return this.#own()
  }

  /** With these numbers, and one more key in the last chunk if one is given. */
  with({ first, subscribers, key }: Omit<ListNumbers, 'last'> & { readonly key?: string }): SubscriberList {
    const keys = this.#own()
    if (key !== undefined) keys.push(key)
    return new SubscriberList({ first, last: this.last, subscribers }, keys)
  }

  /** The last chunk is full: with an empty one after it. */
  next(): SubscriberList {
    return new SubscriberList({ first: this.first, last: this.last + 1, subscribers: this.subscribers }, [])
  }

  /** One list after the other has the same array; only after a rollback there is a second one that goes on from the same keys. */
  #own(): string[] {
    return this.#keys.length === this.filled ? this.#keys : this.#keys.slice(0, this.filled)
  }
}

const listHeaderBytes = 12
const memberHeaderBytes = 9
/** Up to this length a loop is faster than a call into native code. */
const loopLength = 48

/** Keys of the store. */
export const subscriptionKeys: Serde<unknown> = Object.freeze({
  name: 'bytes',
  encode: (key: unknown) => Buffer.from(String(key), 'latin1'),
  encodeInto(key: unknown, target: Buffer, at: number): number {
    const text = String(key)
    const end = at + text.length
    if (end > target.length) return -1
    if (text.length > loopLength) return at + target.write(text, at, 'latin1')
    for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i)
    return end
  },
  decode: (bytes: Buffer, start: number, end: number) => bytes.toString('latin1', start, end),
  identity: (key: unknown) => String(key)
})

/** Entries of the store. They are read as bytes: which kind an entry is, who asks for it knows. */
export const subscriptionEntries: Serde<unknown> = Object.freeze({
  name: 'bytes',
  encode(entry: unknown): Buffer {
    if (Buffer.isBuffer(entry)) return entry
    if (entry instanceof SubscriberList) return encodeList(entry)
    if (Array.isArray(entry)) return encodeKeys(entry, 0)
    const member = isMember(entry) ? entry : nowhere
    const bytes = Buffer.allocUnsafe(memberBytes(member))
    writeMember(member, bytes, 0)
    return bytes
  },
  encodeInto(entry: unknown, target: Buffer, at: number): number {
    // Lists are not cheap to encode, and the buffer of a buffer is itself.
    if (!isMember(entry) || at + memberBytes(entry) > target.length) return -1
    return writeMember(entry, target, at)
  },
  decode: (bytes: Buffer, start: number, end: number) => Buffer.from(bytes.subarray(start, end))
})

/** The list that an entry is; undefined without one. */
export function toList(entry: unknown): SubscriberList | undefined {
  if (!Buffer.isBuffer(entry)) return entry instanceof SubscriberList ? entry : undefined
  const numbers = { first: entry.readUInt32BE(0), last: entry.readUInt32BE(4), subscribers: entry.readUInt32BE(8) }
  return new SubscriberList(numbers, keysFrom(entry, listHeaderBytes))
}

/** The primary keys in a full chunk. */
export function toKeys(entry: unknown): readonly string[] {
  if (!Buffer.isBuffer(entry)) return Array.isArray(entry) ? entry : []
  return keysFrom(entry, 0)
}

/** The member that an entry is; undefined without one. */
export function toMember(entry: unknown): Member | undefined {
  if (!Buffer.isBuffer(entry)) return isMember(entry) ? entry : undefined
  const hash = entry[8] === 0 ? null : readHash(entry, memberHeaderBytes)
  return { chunk: entry.readUInt32BE(0), partition: entry.readInt32BE(4), hash }
}

const nowhere: Member = { chunk: 0, partition: 0, hash: null }

function isMember(entry: unknown): entry is Member {
  return typeof entry === 'object' && entry !== null && 'chunk' in entry
}

function encodeList(list: SubscriberList): Buffer {
  const bytes = encodeKeys(list.keys, listHeaderBytes)
  bytes.writeUInt32BE(list.first, 0)
  bytes.writeUInt32BE(list.last, 4)
  bytes.writeUInt32BE(list.subscribers, 8)
  return bytes
}

/** Keys, with room before them. */
function encodeKeys(keys: readonly string[], headerBytes: number): Buffer {
  let length = headerBytes
  for (const key of keys) length += 4 + key.length
  const bytes = Buffer.allocUnsafe(length)
  let at = headerBytes
  for (const key of keys) {
    at = bytes.writeUInt32BE(key.length, at)
    at = subscriptionKeys.encodeInto?.(key, bytes, at) ?? at
  }
  return bytes
}

function keysFrom(bytes: Buffer, start: number): string[] {
  const keys: string[] = []
  for (let at = start; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at)
    keys.push(bytes.toString('latin1', at + 4, end))
    at = end
  }
  return keys
}

function memberBytes({ hash }: Member): number {
  return memberHeaderBytes + (hash === null ? 0 : hashBytes)
}

/** @returns where it ends. */
function writeMember({ chunk, partition, hash }: Member, target: Buffer, at: number): number {
  target.writeUInt32BE(chunk, at)
  target.writeInt32BE(partition, at + 4)
  target[at + 8] = hash === null ? 0 : 1
  return hash === null ? at + memberHeaderBytes : writeHash(target, hash, at + memberHeaderBytes)
}
