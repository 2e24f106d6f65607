import { besideLogOf } from './beside-log.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** What a durable operator remembers of one key. */
export interface DurableState {
  readonly numbers: readonly number[]
  /** Values of the stream, or what the operator made of them; null and undefined too. */
  readonly values: readonly unknown[]
  /** When the operator wants to hear of the key again, milliseconds of stream time. */
  readonly dueMs?: number
}

/** A key's entry: its state, and its place in the queue of timers. */
export interface DurableEntry {
  readonly state?: DurableState
  /** The timer that stands in the queue; `next` is the key behind this one at the same time. */
  readonly timer?: { readonly atMs: number; readonly next?: unknown }
}

const has = { state: 1, due: 2, timer: 4, next: 8 } as const
const nullLength = -1
const undefinedLength = -2

/**
 * Entries of durable operators. A byte of flags (1 state, 2 due time, 4 timer, 8 next key); then what they say is there: the timer's time (8 bytes,
 * double), the next key; the due time (8 bytes, double), the number of numbers (4 bytes) and those (8 bytes each, doubles), and the values. A key
 * or value is its length (4 bytes, -1 for null, -2 for undefined) and bytes; integers are big-endian.
 */
export function durableEntrySerde(key: Serde<unknown>, value: Serde<unknown>): Serde<unknown> {
  const name = `durable(${value.name})`
  const serde = Object.freeze({
    name,
    ...besideLogOf(key, value),
    encode: (entry: unknown): Buffer => encodeEntry(toDurableEntry(entry), key, value),
    decode(bytes: Buffer, start: number, end: number): DurableEntry {
      const torn = () => new SerdeError({ serde: name, operation: 'decode', problem: 'the bytes end within an entry' })
      return decodeEntry(new EntryReader({ bytes, at: start, end }, torn), key, value)
    }
  })
  entrySerdes.add(serde)
  return serde
}

const entrySerdes = new WeakSet<Serde<unknown>>()

/** Whether a store with this serde is that of a durable operator. */
export function isDurableEntrySerde(serde: Serde<unknown>): boolean {
  return entrySerdes.has(serde)
}

/** What a store with this serde returned; a key without an entry has an empty one. */
export function toDurableEntry(entry: unknown): DurableEntry {
  return typeof entry === 'object' && entry !== null ? entry : {}
}

function encodeEntry({ state, timer }: DurableEntry, key: Serde<unknown>, value: Serde<unknown>): Buffer {
  const next = timer !== undefined && 'next' in timer ? partOf(key, timer.next) : undefined
  const values = state === undefined ? [] : state.values.map((one) => partOf(value, one))
  const doubles = (timer ? 1 : 0) + (state?.dueMs === undefined ? 0 : 1) + (state ? state.numbers.length : 0)
  let length = 1 + 8 * doubles + (state ? 4 : 0) + (next ? sizeOf(next) : 0)
  for (const part of values) length += sizeOf(part)

  const bytes = Buffer.allocUnsafe(length)
  bytes[0] =
    (state ? has.state : 0) |
    (state?.dueMs === undefined ? 0 : has.due) |
    (timer ? has.timer : 0) |
    (next === undefined ? 0 : has.next)
  let at = 1
  if (timer) at = bytes.writeDoubleBE(timer.atMs, at)
  if (next !== undefined) at = writePart(bytes, next, at)
  if (state === undefined) return bytes
  if (state.dueMs !== undefined) at = bytes.writeDoubleBE(state.dueMs, at)
  at = bytes.writeInt32BE(state.numbers.length, at)
  for (const one of state.numbers) at = bytes.writeDoubleBE(one, at)
  for (const part of values) at = writePart(bytes, part, at)
  return bytes
}

function decodeEntry(reader: EntryReader, key: Serde<unknown>, value: Serde<unknown>): DurableEntry {
  const flags = reader.byte()
  const atMs = flags & has.timer ? reader.double() : undefined
  const next = flags & has.next ? { next: reader.part(key) } : {}
  const timer = atMs === undefined ? {} : { timer: { atMs, ...next } }
  if ((flags & has.state) === 0) return timer
  const due = flags & has.due ? { dueMs: reader.double() } : {}
  const numbers = Array.from({ length: reader.length() }, () => reader.double())
  const values: unknown[] = []
  while (!reader.done) values.push(reader.part(value))
  return { state: { numbers, values, ...due }, ...timer }
}

class EntryReader {
  readonly #bytes: Buffer
  readonly #end: number
  readonly #torn: () => SerdeError
  #at: number

  constructor(span: { readonly bytes: Buffer; readonly at: number; readonly end: number }, torn: () => SerdeError) {
    this.#bytes = span.bytes
    this.#at = span.at
    this.#end = span.end
    this.#torn = torn
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  byte(): number {
    return this.#bytes[this.#take(1)]
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#take(8))
  }

  /** A count of doubles that are all there. */
  length(): number {
    const length = this.#bytes.readInt32BE(this.#take(4))
    if (length < 0 || this.#at + 8 * length > this.#end) throw this.#torn()
    return length
  }

  part(serde: Serde<unknown>): unknown {
    const length = this.#bytes.readInt32BE(this.#take(4))
    if (length === nullLength) return null
    if (length === undefinedLength) return undefined
    if (length < 0) throw this.#torn()
    const from = this.#take(length)
    return serde.decode(this.#bytes, from, from + length)
  }

  #take(count: number): number {
    const from = this.#at
    if (from + count > this.#end) throw this.#torn()
    this.#at = from + count
    return from
  }
}

/** Bytes, or the length that stands for none. */
type Part = Buffer | typeof nullLength | typeof undefinedLength

function partOf(serde: Serde<unknown>, value: unknown): Part {
  if (value === null) return nullLength
  return value === undefined ? undefinedLength : serde.encode(value)
}

function sizeOf(part: Part): number {
  return 4 + (typeof part === 'number' ? 0 : part.length)
}

function writePart(bytes: Buffer, part: Part, at: number): number {
  if (typeof part === 'number') return bytes.writeInt32BE(part, at)
  const from = bytes.writeInt32BE(part.length, at)
  return from + part.copy(bytes, from)
}
