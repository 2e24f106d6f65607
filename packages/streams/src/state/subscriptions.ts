import type { Hash128 } from '../serde/hash128.ts'
import { type Member, SubscriberList, toKeys, toList, toMember } from '../serde/subscription-store.ts'
import type { KeyValueStore } from './store.ts'

/** A left row that wants a right row. */
export interface Subscriber {
  /** The bytes of its key as latin1 text. */
  readonly primary: string
  readonly hash: Hash128 | null
  readonly partition: number
}

const Kind = { list: '\x00', chunk: '\x01', member: '\x02' } as const

/** Primary keys in one chunk: to read all of a foreign key's, few entries beside their members, and little to write for one more. */
const chunkKeys = 16

/** Whoever comes first makes a list of its own of it. */
const nobody = () => new SubscriberList({ first: 0, last: 0, subscribers: 0 }, [])

/**
 * Who subscribed to which foreign key, in a key-value store, by point reads only: per foreign and primary key a member, and per foreign key a list of
 * primary keys in chunks. One more subscriber is one more key at the end of the list. One less is only a member less: its key stays in the list in
 * vain, as every key does whose member says that it is in another chunk. When more than two thirds of a list are in vain, each change takes the
 * list's first chunk away and puts what still counts at its end: so no change touches more than one chunk, and a list stays at
 * most three times as long as it has subscribers. Keys are their bytes as latin1 text.
 */
export class Subscriptions {
  readonly #store: KeyValueStore<unknown, unknown>

  /** @param store with keys of `subscriptionKeys` and values of `subscriptionEntries`. */
  constructor(store: KeyValueStore<unknown, unknown>) {
    this.#store = store
  }

  /** Adds a subscriber of the foreign key, or replaces it. */
  put(foreign: string, { primary, hash, partition }: Subscriber, timestamp: number): void {
    const at = memberKey(foreign, primary)
    const chunk = this.#member(at)?.chunk ?? this.#enlist({ foreign, timestamp }, primary)
    this.#putMember(at, { chunk, partition, hash }, timestamp)
  }

  /** Removes a subscriber of the foreign key, if it is one. */
  remove(foreign: string, primary: string, timestamp: number): void {
    const at = memberKey(foreign, primary)
    if (this.#member(at) === undefined) return
    this.#store.put(at, null, timestamp)
    const change = { foreign, timestamp }
    const before = this.#list(foreign)
    const list = before.with({ first: before.first, subscribers: before.subscribers - 1 })
    if (list.subscribers === 0) this.#forget(change, list)
    else this.#store.put(listKey(foreign), this.#tidied(change, list), timestamp)
  }

  /** All subscribers of a foreign key, in the order of their primary keys' bytes. */
  of(foreign: string): readonly Subscriber[] {
    const list = this.#list(foreign)
    const found: Subscriber[] = []
    for (let chunk = list.first; chunk < list.last; chunk++)
      found.push(...this.#among(this.#keys(foreign, chunk), { foreign, chunk }))
    found.push(...this.#among(list.keys, { foreign, chunk: list.last }))
    return found.sort((one, other) => (one.primary < other.primary ? -1 : 1))
  }

  /** Adds a key to the list. @returns the chunk that it is in. */
  #enlist(change: ListChange, key: string): number {
    const list = this.#withRoom(change, this.#list(change.foreign))
    const longer = list.with({ first: list.first, subscribers: list.subscribers + 1, key })
    this.#store.put(listKey(change.foreign), longer, change.timestamp)
    return list.last
  }

  #withRoom({ foreign, timestamp }: ListChange, list: SubscriberList): SubscriberList {
    if (list.filled < chunkKeys) return list
    this.#store.put(chunkKey(foreign, list.last), list.keys, timestamp)
    return list.next()
  }

  /** Takes the first chunk away where too much of the list is in vain: then it is a full one. */
  #tidied(change: ListChange, list: SubscriberList): SubscriberList {
    const inVain = (list.last - list.first) * chunkKeys + list.filled - list.subscribers
    if (inVain <= 2 * list.subscribers + chunkKeys) return list
    const { foreign, timestamp } = change
    const { first: chunk, subscribers } = list
    const keys = this.#keys(foreign, chunk)
    this.#store.put(chunkKey(foreign, chunk), null, timestamp)
    const first = chunk + 1
    let tidied = list.with({ first, subscribers })
    for (const { primary, hash, partition } of this.#among(keys, { foreign, chunk })) {
      tidied = this.#withRoom(change, tidied)
      this.#putMember(memberKey(foreign, primary), { chunk: tidied.last, partition, hash }, timestamp)
      tidied = tidied.with({ first, subscribers, key: primary })
    }
    return tidied
  }

  #forget({ foreign, timestamp }: ListChange, list: SubscriberList): void {
    for (let chunk = list.first; chunk < list.last; chunk++) this.#store.put(chunkKey(foreign, chunk), null, timestamp)
    this.#store.put(listKey(foreign), null, timestamp)
  }

  /** Those of a chunk's keys that are not there in vain. One that came, went and came again while the chunk was filled is there twice. */
  #among(
    keys: readonly string[],
    { foreign, chunk }: { readonly foreign: string; readonly chunk: number }
  ): Subscriber[] {
    const found: Subscriber[] = []
    for (const primary of new Set(keys)) {
      const member = this.#member(memberKey(foreign, primary))
      if (member?.chunk === chunk) found.push({ primary, hash: member.hash, partition: member.partition })
    }
    return found
  }

  #list(foreign: string): SubscriberList {
    return toList(this.#store.get(listKey(foreign))?.value) ?? nobody()
  }

  #keys(foreign: string, chunk: number): readonly string[] {
    return toKeys(this.#store.get(chunkKey(foreign, chunk))?.value)
  }

  #member(at: string): Member | undefined {
    return toMember(this.#store.get(at)?.value)
  }

  #putMember(at: string, member: Member, timestamp: number): void {
    this.#store.put(at, member, timestamp)
  }
}

/** Whose list is changed, and when. */
interface ListChange {
  readonly foreign: string
  readonly timestamp: number
}

function listKey(foreign: string): string {
  return Kind.list + uint32(foreign.length) + foreign
}

function chunkKey(foreign: string, chunk: number): string {
  return Kind.chunk + uint32(foreign.length) + foreign + uint32(chunk)
}

function memberKey(foreign: string, primary: string): string {
  return Kind.member + uint32(foreign.length) + foreign + primary
}

/** Lengths of nearly all keys. */
const shortLengths = Array.from({ length: 256 }, (_, value) => String.fromCharCode(0, 0, 0, value))

function uint32(value: number): string {
  if (value < shortLengths.length) return shortLengths[value]
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}
