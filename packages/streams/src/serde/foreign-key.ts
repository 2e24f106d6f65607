import { besideLogOf } from './beside-log.ts'
import { hashBytes } from './hash128.ts'
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
  readonly hash: Buffer | null
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
  readonly hash: Buffer | null
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
const instructions = Object.values(Instruction)

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
    decode(bytes: Buffer, start: number, end: number): Subscription {
      const { tag, hash, partition, bodyAt } = readHeader(name, { bytes, start, end })
      const instruction = instructions.find((known) => known === tag)
      if (instruction === undefined) throw torn(name)
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
    decode(bytes: Buffer, start: number, end: number): Answer {
      const { tag, hash, partition, bodyAt } = readHeader(name, { bytes, start, end })
      return new Answer({ hash, partition, value: tag === 0 ? undefined : value.decode(bytes, bodyAt, end) })
    }
  })
}

function joined(tag: number, { hash, partition }: Pick<Answer, 'hash' | 'partition'>, body: Buffer): Buffer {
  const bodyAt = headerBytes + (hash === null ? 0 : hashBytes)
  const bytes = Buffer.allocUnsafe(bodyAt + body.length)
  bytes[0] = tag
  bytes[1] = hash === null ? 0 : 1
  bytes.writeInt32BE(partition, 2)
  hash?.copy(bytes, headerBytes)
  body.copy(bytes, bodyAt)
  return bytes
}

function readHeader(name: string, span: { readonly bytes: Buffer; readonly start: number; readonly end: number }) {
  const { bytes, start, end } = span
  const hashAt = start + headerBytes
  if (hashAt > end) throw torn(name)
  const bodyAt = hashAt + (bytes[start + 1] === 0 ? 0 : hashBytes)
  if (bodyAt > end) throw torn(name)
  const hash = bodyAt === hashAt ? null : Buffer.from(bytes.subarray(hashAt, bodyAt))
  return { tag: bytes[start], hash, partition: bytes.readInt32BE(start + 2), bodyAt }
}

function torn(serde: string): SerdeError {
  return new SerdeError({ serde, operation: 'decode', problem: 'the bytes are not of this format, or end early' })
}

function notOne(serde: string, value: unknown): SerdeError {
  return new SerdeError({ serde, operation: 'encode', problem: `a ${typeof value} is none` })
}
