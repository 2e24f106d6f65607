import type { Schema, Type } from 'avsc'
import { avroType } from './avro-types.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** A schema as JSON, or an avsc type. */
export type AvroSchema = Schema

/** What {@link avro} may be told beside the schema that it writes. */
export interface AvroOptions {
  /** The schema the program wants to read, by Avro's rules of resolution from the one that was written. Default: the same. */
  readonly reader?: AvroSchema
}

/**
 * Values in Avro's binary form, without a container or a registry's header. `writer` is the schema the bytes are written with, by this program and by
 * those before it; with `reader`, fields that were added get their defaults and fields that went are left out. Longs
 * beyond 2^52, of either sign, are refused.
 *
 * @throws SerdeError when a schema is wrong, or the reader's can not be resolved from the writer's.
 */
export function avro<T>(writer: AvroSchema, { reader }: AvroOptions = {}): Serde<T> {
  const written = typeOf(writer)
  const read = reader === undefined ? written : typeOf(reader)
  const resolver = reader === undefined ? undefined : attempt('decode', () => read.createResolver(written))
  return Object.freeze({
    name: `avro(${written.name ?? written.typeName})`,
    encode(value: T): Buffer {
      const problem = problemOf(written, value)
      if (problem !== undefined) throw new SerdeError({ serde: 'avro', operation: 'encode', problem })
      return attempt('encode', () => written.toBuffer(value))
    },
    decode(bytes: Buffer, start: number, end: number): T {
      return attempt('decode', (): T => read.fromBuffer(bytes.subarray(start, end), resolver))
    }
  })
}

function typeOf(schema: Schema): Type {
  return attempt('encode', () => (isType(schema) ? schema : avroType(schema)))
}

function isType(schema: Schema): schema is Type {
  return typeof schema === 'object' && 'toBuffer' in schema
}

/** Where a value is not what the schema says; undefined: nowhere. */
function problemOf(type: Type, value: unknown): string | undefined {
  let problem: string | undefined
  const errorHook = (path: string[], found: unknown, expected: Type): void => {
    const place = path.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join('')
    problem ??= `$${place}: ${textOf(found)} is no ${expected.typeName}`
  }
  try {
    return type.isValid(value, { errorHook }) ? undefined : (problem ?? 'it does not match the schema')
  } catch (cause) {
    // Whole numbers are looked at by arithmetic, which a bigint has none of with them.
    return problem ?? (cause instanceof Error ? cause.message : String(cause))
  }
}

/** A value in a message; JSON has no form for all of them. */
function textOf(value: unknown): string {
  try {
    return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value))
  } catch {
    return String(value)
  }
}

function attempt<T>(operation: 'encode' | 'decode', run: () => T): T {
  try {
    return run()
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new SerdeError({ serde: 'avro', operation, problem }, { cause })
  }
}
