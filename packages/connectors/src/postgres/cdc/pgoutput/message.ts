import { ReplicationProtocolError } from '../errors.ts'
import { type Lsn, readLsn } from '../replication/lsn.ts'

// What a byte says about the column that follows it in a tuple.
const COLUMN_NULL = 0x6e
const COLUMN_UNCHANGED = 0x75
const COLUMN_TEXT = 0x74

/** The shape of a table as the stream announces it before the first change, and again after each change of the shape. */
export interface RelationMessage {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** `d` primary key, `n` nothing, `f` all columns, `i` an index. */
  readonly replicaIdentity: string
  readonly columns: readonly RelationColumn[]
}

/** A column of a relation message. */
export interface RelationColumn {
  readonly name: string
  /** Part of the replica identity. */
  readonly inIdentity: boolean
  readonly type: number
  readonly modifier: number
}

/** Columns of one row: a view into the message, valid as long as its bytes are. Null has length -1, an unchanged value out of line -2. */
export interface Tuple {
  readonly bytes: Buffer
  /** Start and length of each column, alternating. */
  readonly places: Int32Array
}

/** Length of a null. */
export const NULL_LENGTH = -1
/** Length of a value that is stored out of line, did not change and was left out. */
export const UNCHANGED_LENGTH = -2

/** Reads one message of pgoutput from its first byte on, in the order of its fields. */
export class MessageReader {
  bytes: Buffer = Buffer.alloc(0)
  at = 0

  /** Begins with another message, behind its type byte. */
  open(bytes: Buffer, at = 1): void {
    this.bytes = bytes
    this.at = at
  }

  uint8(): number {
    this.#need(1)
    return this.bytes[this.at++]
  }

  uint16(): number {
    this.#need(2)
    this.at += 2
    return this.bytes.readUInt16BE(this.at - 2)
  }

  uint32(): number {
    this.#need(4)
    this.at += 4
    return this.bytes.readUInt32BE(this.at - 4)
  }

  int32(): number {
    return this.uint32() | 0
  }

  lsn(): Lsn {
    this.#need(8)
    this.at += 8
    return readLsn(this.bytes, this.at - 8)
  }

  /** Microseconds since 1970. */
  timestampMicros(): number {
    this.#need(8)
    this.at += 8
    const since2000 = this.bytes.readInt32BE(this.at - 8) * 2 ** 32 + this.bytes.readUInt32BE(this.at - 4)
    return since2000 + 946_684_800_000_000
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.at)
    if (end === -1) throw new ReplicationProtocolError('a string of the replication stream does not end')
    const text = this.bytes.toString('utf8', this.at, end)
    this.at = end + 1
    return text
  }

  rest(length: number): Buffer {
    this.#need(length)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** Reads a tuple; `places` is used again when it has the right size. */
  tuple(places?: Int32Array): Tuple {
    const count = this.uint16()
    const into = places?.length === count * 2 ? places : new Int32Array(count * 2)
    for (let column = 0; column < count; column++) this.#column(into, column * 2)
    return { bytes: this.bytes, places: into }
  }

  #column(into: Int32Array, index: number): void {
    const kind = this.uint8()
    if (kind === COLUMN_TEXT) {
      const length = this.uint32()
      this.#need(length)
      into[index] = this.at
      into[index + 1] = length
      this.at += length
    } else if (kind === COLUMN_NULL || kind === COLUMN_UNCHANGED) {
      into[index] = this.at
      into[index + 1] = kind === COLUMN_NULL ? NULL_LENGTH : UNCHANGED_LENGTH
    } else {
      throw new ReplicationProtocolError(`column kind ${kind} of the replication stream is none of n, u and t`)
    }
  }

  #need(length: number): void {
    if (this.at + length > this.bytes.length) {
      throw new ReplicationProtocolError(
        `a message of the replication stream ends early, at byte ${this.at} of ${this.bytes.length}`
      )
    }
  }
}

/** Reads the body of an `R` message. */
export function readRelation(reader: MessageReader): RelationMessage {
  const oid = reader.uint32()
  const schema = reader.text() || 'pg_catalog'
  const table = reader.text()
  const replicaIdentity = String.fromCharCode(reader.uint8())
  const columns = Array.from({ length: reader.uint16() }, () => ({
    inIdentity: (reader.uint8() & 1) === 1,
    name: reader.text(),
    type: reader.uint32(),
    modifier: reader.int32()
  }))
  return { oid, schema, table, replicaIdentity, columns }
}
