import { type Member, toChunkCount, toKeys, toMember } from '../serde/subscription-store.ts'
import type { KeyValueStore } from './store.ts'

/** A left row that wants a right row; keys and hash as bytes. */
export interface Subscriber {
  readonly primaryKey: Buffer
  readonly hash: Buffer | null
  readonly partition: number
}

const Kind = { head: '\x00', chunk: '\x01', member: '\x02' } as const

/** Primary keys in one entry: few entries to read for all of a foreign key's, and little to write for one more. */
const chunkKeys = 64

/**
 * Who subscribed to which foreign key, in a key-value store, by point reads only: per foreign key a head (how many chunks there are) and
 * chunks of primary keys; per foreign and primary key the subscriber and the chunk it is in. A key that leaves is replaced by the last one of
 * all, so that the chunks stay full. Inside, keys are bytes as latin1 text.
 */
export class Subscriptions {
  readonly #store: KeyValueStore<unknown, unknown>

  /** @param store with keys of `subscriptionKeys` and values of `subscriptionEntries`. */
  constructor(store: KeyValueStore<unknown, unknown>) {
    this.#store = store
  }

  put(foreignKey: Buffer, { primaryKey, hash, partition }: Subscriber, timestamp: number): void {
    const foreign = textOf(foreignKey)
    const primary = textOf(primaryKey)
    const at = memberKey(foreign, primary)
    const chunk = this.#member(at)?.chunk ?? this.#append(foreign, primary, timestamp)
    const member: Member = { chunk, partition, hash }
    this.#store.put(at, member, timestamp)
  }

  remove(foreignKey: Buffer, primaryKey: Buffer, timestamp: number): void {
    const foreign = textOf(foreignKey)
    const primary = textOf(primaryKey)
    const at = memberKey(foreign, primary)
    const member = this.#member(at)
    if (member === undefined) return
    this.#store.put(at, null, timestamp)
    const last = this.#chunks(foreign) - 1
    const keys = this.#keys(foreign, last)
    const moved = keys[keys.length - 1]
    this.#putKeys({ foreign, chunk: last, timestamp }, keys.slice(0, -1))
    if (keys.length === 1) this.#putChunks(foreign, last, timestamp)
    if (moved === primary) return
    const holed = this.#keys(foreign, member.chunk)
    this.#putKeys({ foreign, chunk: member.chunk, timestamp }, holed.with(holed.indexOf(primary), moved))
    const movedAt = memberKey(foreign, moved)
    const movedMember = this.#member(movedAt)
    if (movedMember !== undefined) this.#store.put(movedAt, { ...movedMember, chunk: member.chunk }, timestamp)
  }

  /** All subscribers of a foreign key, in the order of their primary keys' bytes. */
  of(foreignKey: Buffer): readonly Subscriber[] {
    const foreign = textOf(foreignKey)
    const keys: string[] = []
    for (let chunk = 0; chunk < this.#chunks(foreign); chunk++) keys.push(...this.#keys(foreign, chunk))
    return keys.sort().flatMap((primary) => {
      const member = this.#member(memberKey(foreign, primary))
      if (member === undefined) return []
      return { primaryKey: Buffer.from(primary, 'latin1'), hash: member.hash, partition: member.partition }
    })
  }

  /** Adds a key to the last chunk that has room. */
  #append(foreign: string, primary: string, timestamp: number): number {
    const chunks = this.#chunks(foreign)
    const keys = chunks === 0 ? [] : this.#keys(foreign, chunks - 1)
    const hasRoom = chunks > 0 && keys.length < chunkKeys
    const chunk = hasRoom ? chunks - 1 : chunks
    this.#putKeys({ foreign, chunk, timestamp }, hasRoom ? [...keys, primary] : [primary])
    if (!hasRoom) this.#putChunks(foreign, chunks + 1, timestamp)
    return chunk
  }

  #chunks(foreign: string): number {
    return toChunkCount(this.#store.get(headKey(foreign))?.value)
  }

  #putChunks(foreign: string, chunks: number, timestamp: number): void {
    this.#store.put(headKey(foreign), chunks === 0 ? null : chunks, timestamp)
  }

  #keys(foreign: string, chunk: number): readonly string[] {
    return toKeys(this.#store.get(chunkKey(foreign, chunk))?.value)
  }

  #putKeys(
    { foreign, chunk, timestamp }: { readonly foreign: string; readonly chunk: number; readonly timestamp: number },
    keys: readonly string[]
  ): void {
    this.#store.put(chunkKey(foreign, chunk), keys.length === 0 ? null : keys, timestamp)
  }

  #member(at: string): Member | undefined {
    return toMember(this.#store.get(at)?.value)
  }
}

function headKey(foreign: string): string {
  return Kind.head + uint32(foreign.length) + foreign
}

function chunkKey(foreign: string, chunk: number): string {
  return Kind.chunk + uint32(foreign.length) + foreign + uint32(chunk)
}

function memberKey(foreign: string, primary: string): string {
  return Kind.member + uint32(foreign.length) + foreign + primary
}

function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}

function textOf(bytes: Buffer): string {
  return bytes.toString('latin1')
}
