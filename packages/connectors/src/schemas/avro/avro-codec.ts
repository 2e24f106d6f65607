import { type AvroLongs, avroType, SerdeError } from '@millrace/streams'
import type { Resolver, Schema, Type } from 'avsc'
import { InvalidSchemaError } from '../errors.ts'
import type { ResolvedSchema } from '../schema.ts'
import { AvroSchema } from './avro-schema.ts'

/** Reads a value from its first byte to its last. */
export type AvroDecode = (bytes: Buffer, start: number, end: number) => unknown

const FIRST_SCRATCH_BYTES = 1024

/**
 * Values of one schema in Avro's binary form, by avsc. Unions of types that can be told apart by their JavaScript values are those values, others
 * are wrapped as in Avro's JSON encoding: `{ 'com.acme.User': … }`.
 */
export class AvroCodec {
  readonly schema: AvroSchema
  readonly #type: Type
  #scratch = Buffer.allocUnsafe(FIRST_SCRATCH_BYTES)

  /** @throws InvalidSchemaError */
  constructor(schema: ResolvedSchema, longs: AvroLongs = 'number') {
    this.schema = new AvroSchema(schema, { checkDefaults: false })
    this.#type = typeOf(schema, longs)
  }

  /** The schema's name for descriptions. */
  get name(): string {
    return this.#type.name ?? this.#type.typeName
  }

  /**
   * A prefix and the value's bytes after it.
   * @throws SerdeError naming the path of what does not fit.
   */
  encode(prefix: Buffer, value: unknown): Buffer {
    const end = this.#encode(prefix.length, value)
    const bytes = Buffer.allocUnsafe(end)
    prefix.copy(bytes)
    this.#scratch.copy(bytes, prefix.length, prefix.length, end)
    return bytes
  }

  /**
   * What reads values that `writer` wrote as this schema's, by Avro's schema resolution.
   * @throws SerdeError naming what cannot be read.
   */
  decoderFor(writer: AvroCodec): AvroDecode {
    const type = this.#type
    const written = writer.#type
    if (writer.schema.canonical === this.schema.canonical) return decoder(type, undefined)
    const [first] = this.schema.incompatibilitiesWith(writer.schema)
    if (first !== undefined) throw failed('decode', `${first.path}: ${first.message} (${first.type})`)
    try {
      return decoder(type, type.createResolver(written, { ignoreNamespaces: true }))
    } catch (cause) {
      throw failed('decode', reason(cause), { cause })
    }
  }

  /** Reads Avro's JSON encoding of a value. @throws SerdeError */
  fromJson(text: string): unknown {
    try {
      return this.#type.fromString(text)
    } catch (cause) {
      throw failed('decode', reason(cause), { cause })
    }
  }

  /** Avro's JSON encoding of a value. */
  toJson(value: unknown): string {
    return this.#type.toString(value)
  }

  #encode(start: number, value: unknown): number {
    try {
      let end = this.#type.encode(value, this.#scratch, start)
      if (end < 0) {
        this.#scratch = Buffer.allocUnsafe(2 * (this.#scratch.length - end))
        end = this.#type.encode(value, this.#scratch, start)
      }
      return end
    } catch (cause) {
      throw failed('encode', problemOf(this.#type, value) ?? reason(cause), { cause })
    }
  }
}

function typeOf({ text, resolved }: ResolvedSchema, longs: AvroLongs): Type {
  try {
    return avroType(
      json(text.schema),
      longs,
      resolved.map(({ schema }) => json(schema))
    )
  } catch (cause) {
    throw new InvalidSchemaError({ problem: reason(cause) }, { cause })
  }
}

/** A bare name is a schema, too. */
function json(text: string): Schema {
  return /^\s*[[{"]/.test(text) ? JSON.parse(text) : text.trim()
}

function decoder(type: Type, resolver: Resolver | undefined): AvroDecode {
  return (bytes, start, end) => {
    let offset: number
    let value: unknown
    try {
      ;({ offset, value } = type.decode(bytes, start, resolver))
    } catch (cause) {
      throw failed('decode', reason(cause), { cause })
    }
    if (offset === end) return value
    const problem =
      offset < 0 || offset > end ? 'the bytes end within the value' : `${end - offset} bytes follow the value`
    throw failed('decode', `${problem}: were they written with another schema?`)
  }
}

/** Where a value is not what the schema says; undefined: nowhere. */
function problemOf(type: Type, value: unknown): string | undefined {
  let problem: string | undefined
  const errorHook = (path: string[], found: unknown, expected: Type): void => {
    problem ??= `$${path.map((key) => `.${key}`).join('')}: ${shown(found)} is no ${expected.typeName}`
  }
  type.isValid(value, { errorHook })
  return problem
}

function shown(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value))
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function failed(operation: 'encode' | 'decode', problem: string, options?: ErrorOptions): SerdeError {
  return new SerdeError({ serde: 'avro', operation, problem }, options)
}
