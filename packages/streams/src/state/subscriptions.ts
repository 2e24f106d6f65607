import { hashBytes } from '../serde/hash128.ts'
import type { KeyValueStore } from './store.ts'

/** A left row that wants a right row; keys and hash as bytes. */
export interface Subscriber {
  readonly primaryKey: Buffer
  readonly hash: Buffer | null
  readonly partition: number
}

const Kind = { head: 0, chunk: 1, member: 2 } as const

/** Primary keys in one entry: few entries to read for all of a foreign key's, and little to write for one more. */
const chunkKeys = 64
const memberHeaderBytes = 9

/**
 * Who subscribed to which foreign key, in a key-value store of bytes, by point reads only: per foreign key a head (how many chunks there are) and
 * chunks of primary keys; per foreign and primary key the subscriber and the chunk it is in. A key that leaves is replaced by the last one of
 * all, so that the chunks stay full.
 */
export class Subscriptions {
  readonly #store: KeyValueStore<unknown, unknown>

  /** @param store with keys and values of `bytes()`. */
  constructor(store: KeyValueStore<unknown, unknown>) {
    this.#store = store
  }

  put(foreignKey: Buffer, subscriber: Subscriber, timestamp: number): void {
    const member = this.#member(foreignKey, subscriber.primaryKey)
    const chunk = member?.chunk ?? this.#append(foreignKey, subscriber.primaryKey, timestamp)
    this.#store.put(memberKey(foreignKey, subscriber.primaryKey), encodeMember(subscriber, chunk), timestamp)
  }

  remove(foreignKey: Buffer, primaryKey: Buffer, timestamp: number): void {
    const member = this.#member(foreignKey, primaryKey)
    if (member === undefined) return
    this.#store.put(memberKey(foreignKey, primaryKey), null, timestamp)
    const last = this.#chunks(foreignKey) - 1
    const keys = this.#keys(foreignKey, last)
    const moved = keys[keys.length - 1]
    this.#putKeys({ foreignKey, chunk: last, timestamp }, keys.slice(0, -1))
    if (keys.length === 1) this.#putChunks(foreignKey, last, timestamp)
    if (moved.equals(primaryKey)) return
    const holed = this.#keys(foreignKey, member.chunk)
    const filled = holed.map((key) => (key.equals(primaryKey) ? moved : key))
    this.#putKeys({ foreignKey, chunk: member.chunk, timestamp }, filled)
    const movedMember = this.#member(foreignKey, moved)
    if (movedMember !== undefined) {
      this.#store.put(memberKey(foreignKey, moved), encodeMember(movedMember.subscriber, member.chunk), timestamp)
    }
  }

  /** All subscribers of a foreign key, in the order of their primary keys' bytes. */
  of(foreignKey: Buffer): readonly Subscriber[] {
    const keys: Buffer[] = []
    for (let chunk = 0; chunk < this.#chunks(foreignKey); chunk++) keys.push(...this.#keys(foreignKey, chunk))
    return keys.sort(Buffer.compare).flatMap((key) => this.#member(foreignKey, key)?.subscriber ?? [])
  }

  /** Adds a key to the last chunk that has room. */
  #append(foreignKey: Buffer, primaryKey: Buffer, timestamp: number): number {
    const chunks = this.#chunks(foreignKey)
    const keys = chunks === 0 ? [] : this.#keys(foreignKey, chunks - 1)
    const hasRoom = chunks > 0 && keys.length < chunkKeys
    const chunk = hasRoom ? chunks - 1 : chunks
    this.#putKeys({ foreignKey, chunk, timestamp }, hasRoom ? [...keys, primaryKey] : [primaryKey])
    if (!hasRoom) this.#putChunks(foreignKey, chunks + 1, timestamp)
    return chunk
  }

  #chunks(foreignKey: Buffer): number {
    return this.#read(keyOf(Kind.head, foreignKey))?.readUInt32BE(0) ?? 0
  }

  #putChunks(foreignKey: Buffer, chunks: number, timestamp: number): void {
    this.#store.put(keyOf(Kind.head, foreignKey), chunks === 0 ? null : uint32(chunks), timestamp)
  }

  #keys(foreignKey: Buffer, chunk: number): Buffer[] {
    const bytes = this.#read(keyOf(Kind.chunk, foreignKey, uint32(chunk)))
    const keys: Buffer[] = []
    for (let at = 0; bytes !== undefined && at < bytes.length; ) {
      const end = at + 4 + bytes.readUInt32BE(at)
      keys.push(bytes.subarray(at + 4, end))
      at = end
    }
    return keys
  }

  #putKeys(
    place: { readonly foreignKey: Buffer; readonly chunk: number; readonly timestamp: number },
    keys: readonly Buffer[]
  ): void {
    const bytes = keys.length === 0 ? null : Buffer.concat(keys.flatMap((key) => [uint32(key.length), key]))
    this.#store.put(keyOf(Kind.chunk, place.foreignKey, uint32(place.chunk)), bytes, place.timestamp)
  }

  #member(foreignKey: Buffer, primaryKey: Buffer): { subscriber: Subscriber; chunk: number } | undefined {
    const bytes = this.#read(memberKey(foreignKey, primaryKey))
    if (bytes === undefined) return undefined
    const hash = bytes[8] === 0 ? null : bytes.subarray(memberHeaderBytes, memberHeaderBytes + hashBytes)
    return { chunk: bytes.readUInt32BE(0), subscriber: { primaryKey, hash, partition: bytes.readInt32BE(4) } }
  }

  #read(key: Buffer): Buffer | undefined {
    const value = this.#store.get(key)?.value
    return Buffer.isBuffer(value) ? value : undefined
  }
}

function encodeMember({ hash, partition }: Subscriber, chunk: number): Buffer {
  const header = Buffer.alloc(memberHeaderBytes)
  header.writeUInt32BE(chunk, 0)
  header.writeInt32BE(partition, 4)
  header[8] = hash === null ? 0 : 1
  return hash === null ? header : Buffer.concat([header, hash])
}

function memberKey(foreignKey: Buffer, primaryKey: Buffer): Buffer {
  return keyOf(Kind.member, foreignKey, primaryKey)
}

function keyOf(kind: number, foreignKey: Buffer, rest: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([kind]), uint32(foreignKey.length), foreignKey, rest])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value, 0)
  return bytes
}
