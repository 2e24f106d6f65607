import { besideLogOf } from './beside-log.ts'
import { type Hash128, hashBytes, readHash, writeHash } from './hash128.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** What a subscription asks for. */
export const Instruction = {
  /** Forget it, and say nothing: another answer is on its way. */
  unsubscribe: 0,
  /** Forget it, and answer that there is no row. */
  unsubscribeAndAnswer: 1,
  /** Keep it, and answer also when there is no row: there may be a result to delete. */
  answer: 2,
  /** Keep it, and answer if there is a row. */
  answerIfPresent: 3
} as const

/** One of {@link Instruction}. */
export type Instruction = (typeof Instruction)[keyof typeof Instruction]

/** What a left row tells the right table: on the topic under its foreign key. */
export class Subscription {
  readonly instruction: Instruction
  readonly primaryKey: unknown
  /** Of the left value's bytes, null for none: only an answer to what the row still is counts. */
  readonly hash: Hash128 | null
  /** Where the left row is, and so where the answer goes. */
  readonly partition: number

  constructor(of: Pick<Subscription, 'instruction' | 'primaryKey' | 'hash' | 'partition'>) {
    this.instruction = of.instruction
    this.primaryKey = of.primaryKey
    this.hash = of.hash
    this.partition = of.partition
  }
}

/** What the right table answers: on the topic under the left row's key. */
export class Answer {
  readonly hash: Hash128 | null
  /** The right row's value, undefined for none. */
  readonly value: unknown
  readonly partition: number

  constructor(of: Pick<Answer, 'hash' | 'value' | 'partition'>) {
    this.hash = of.hash
    this.value = of.value
    this.partition = of.partition
  }
}

const headerBytes = 6
const nothing = Buffer.alloc(0)

/**
 * Subscriptions as bytes (Millrace's own format): instruction (1 byte), whether there is a hash (1), the partition (4, big-endian), the hash (16, if
 * there is one), the primary key.
 */
export function subscriptionSerde(primaryKey: Serde<unknown>): Serde<unknown> {
  const name = `subscription(${primaryKey.name})`
  return Object.freeze({
    name,
    encode(value: unknown): Buffer {
      if (!(value instanceof Subscription)) throw notOne(name, value)
      return joined(value.instruction, value, primaryKey.encode(value.primaryKey))
    },
    encodeInto(value: unknown, target: Buffer, at: number): number {
      if (primaryKey.encodeInto === undefined || !(value instanceof Subscription)) return -1
      const bodyAt = writeHeader(target, { tag: value.instruction, value, at })
      return bodyAt < 0 ? -1 : primaryKey.encodeInto(value.primaryKey, target, bodyAt)
    },
    decode(bytes: Buffer, start: number, end: number): Subscription {
      const bodyAt = bodyStart(name, { bytes, start, end })
      const instruction = bytes[start]
      if (!isInstruction(instruction)) throw torn(name)
      const hash = hashBefore(bytes, start, bodyAt)
      const partition = bytes.readInt32BE(start + 2)
      return new Subscription({ instruction, hash, partition, primaryKey: primaryKey.decode(bytes, bodyAt, end) })
    }
  })
}

/** Answers as bytes (Millrace's own format): whether there is a row (1 byte), then as a subscription, with the right value for the key. */
export function answerSerde(value: Serde<unknown>): Serde<unknown> {
  const name = `answer(${value.name})`
  return Object.freeze({
    name,
    ...besideLogOf(value),
    encode(answer: unknown): Buffer {
      if (!(answer instanceof Answer)) throw notOne(name, answer)
      return answer.value === undefined ? joined(0, answer, nothing) : joined(1, answer, value.encode(answer.value))
    },
    encodeInto(answer: unknown, target: Buffer, at: number): number {
      if (!(answer instanceof Answer)) return -1
      const isRow = answer.value !== undefined
      if (isRow && value.encodeInto === undefined) return -1
      const bodyAt = writeHeader(target, { tag: isRow ? 1 : 0, value: answer, at })
      return bodyAt < 0 || !isRow ? bodyAt : (value.encodeInto?.(answer.value, target, bodyAt) ?? -1)
    },
    decode(bytes: Buffer, start: number, end: number): Answer {
      const bodyAt = bodyStart(name, { bytes, start, end })
      return new Answer({
        hash: hashBefore(bytes, start, bodyAt),
        partition: bytes.readInt32BE(start + 2),
        value: bytes[start] === 0 ? undefined : value.decode(bytes, bodyAt, end)
      })
    }
  })
}

type Header = Pick<Answer, 'hash' | 'partition'>

function joined(tag: number, value: Header, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + (value.hash === null ? 0 : hashBytes) + body.length)
  body.copy(bytes, writeHeader(bytes, { tag, value, at: 0 }))
  return bytes
}

/** @returns where the header ends; a negative number when it does not fit. */
function writeHeader(
  target: Buffer,
  { tag, value, at }: { readonly tag: number; readonly value: Header; readonly at: number }
): number {
  const { hash, partition } = value
  const bodyAt = at + headerBytes
  if (bodyAt + (hash === null ? 0 : hashBytes) > target.length) return -1
  target[at] = tag
  target[at + 1] = hash === null ? 0 : 1
  target.writeInt32BE(partition, at + 2)
  return hash === null ? bodyAt : writeHash(target, hash, bodyAt)
}

/** Where the body begins; the header before it is whole. */
function bodyStart(
  name: string,
  { bytes, start, end }: { readonly bytes: Buffer; readonly start: number; readonly end: number }
): number {
  const hashAt = start + headerBytes
  if (hashAt > end) throw torn(name)
  const bodyAt = hashAt + (bytes[start + 1] === 0 ? 0 : hashBytes)
  if (bodyAt > end) throw torn(name)
  return bodyAt
}

function hashBefore(bytes: Buffer, start: number, bodyAt: number): Hash128 | null {
  const hashAt = start + headerBytes
  return hashAt === bodyAt ? null : readHash(bytes, hashAt)
}

function isInstruction(tag: number): tag is Instruction {
  return tag <= Instruction.answerIfPresent
}

function torn(serde: string): SerdeError {
  return new SerdeError({ serde, operation: 'decode', problem: 'the bytes are not of this format, or end early' })
}

function notOne(serde: string, value: unknown): SerdeError {
  return new SerdeError({ serde, operation: 'encode', problem: `a ${typeof value} is none` })
}
