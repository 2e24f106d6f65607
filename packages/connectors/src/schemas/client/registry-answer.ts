import { RegistryErrorCode, RegistryRefusedError, RegistryUnavailableError } from '../errors.ts'
import { isReference, schemaTypeOf } from '../registry/registry-record.ts'
import type { RegisteredSchema, SchemaText } from '../schema.ts'

type Json = Readonly<Record<string, unknown>>

/** A schema out of an answer. @throws RegistryRefusedError for one of a language that is not known. */
export function schemaTextOf({ schema, schemaType, references }: Json): SchemaText {
  const type = schemaTypeOf(schemaType)
  if (type === undefined) {
    throw new RegistryRefusedError(
      RegistryErrorCode.INVALID_SCHEMA,
      `the schema is ${schemaType}; AVRO and JSON can be read`
    )
  }
  if (typeof schema !== 'string') throw wrong('a schema')
  return { schemaType: type, schema, references: Array.isArray(references) ? references.filter(isReference) : [] }
}

/** A version out of an answer. */
export function registeredOf(answer: Json): RegisteredSchema {
  const { subject, id, version } = answer
  if (typeof subject !== 'string' || typeof id !== 'number' || typeof version !== 'number')
    throw wrong('a version of a subject')
  return { subject, id, version, ...schemaTextOf(answer) }
}

/** A list of numbers. */
export function numberListOf({ list }: Json): number[] {
  if (Array.isArray(list) && list.every((one) => typeof one === 'number')) return list
  throw wrong('a list of numbers')
}

/** A list of names. */
export function textListOf({ list }: Json): string[] {
  if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
  throw wrong('a list of names')
}

function wrong(expected: string): RegistryUnavailableError {
  const message = `the schema registry answered something else than ${expected}: is it a schema registry?`
  return new RegistryUnavailableError(RegistryErrorCode.STORE_FAILED, message)
}
