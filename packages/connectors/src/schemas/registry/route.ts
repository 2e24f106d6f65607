import { RegistryErrorCode } from '../errors.ts'
import type { SchemaText, VersionChoice } from '../schema.ts'
import { refused } from './refusals.ts'
import type { Registry } from './registry.ts'
import { isReference, schemaTypeOf } from './registry-record.ts'

/** One method of one path; segments that begin with a colon stand for any. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: readonly string[]
  /** @returns the body of the answer. */
  readonly run: (call: RestCall) => Promise<unknown>
}

/** What a route works with. */
export interface RestCall {
  readonly registry: Registry
  /** What stands where the path has colons, in order. */
  readonly parameters: readonly string[]
  readonly query: URLSearchParams
  readonly body: unknown
}

/** A request's body as an object. @throws RegistryRefusedError (422) */
export function bodyOf({ body }: RestCall): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body }
  throw refused(422, 'the request has no body, or none that is a JSON object')
}

/** The schema of a request's body. @throws RegistryRefusedError (42201) */
export function schemaOf(call: RestCall): SchemaText {
  const { schema, schemaType, references } = bodyOf(call)
  const type = schemaTypeOf(schemaType)
  if (type === undefined) {
    throw refused(
      RegistryErrorCode.INVALID_SCHEMA,
      `schemas of the type ${schemaType} are not supported, AVRO and JSON are`
    )
  }
  if (typeof schema !== 'string' || schema.trim() === '')
    throw refused(RegistryErrorCode.INVALID_SCHEMA, 'Empty schema')
  const list = Array.isArray(references) ? references : []
  if (!list.every(isReference))
    throw refused(RegistryErrorCode.INVALID_SCHEMA, 'a reference has a name, a subject and a version')
  const named = list.map(({ name, subject, version }) => ({ name, subject, version }))
  return { schemaType: type, schema, references: named }
}

/** A version of a path: a number from 1, `latest` or -1. @throws RegistryRefusedError (42202) */
export function versionOf(text: string | undefined): VersionChoice {
  if (text === 'latest' || text === '-1') return 'latest'
  const version = Number(text)
  if (Number.isInteger(version) && version > 0 && version < 2 ** 31) return version
  const message = `The specified version '${text}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`
  throw refused(RegistryErrorCode.INVALID_VERSION, message)
}

/** A schema as answers have it: no type for Avro, no references where there are none. */
export function schemaBody({ schemaType, schema, references }: SchemaText) {
  return { schema, ...(schemaType !== 'AVRO' && { schemaType }), ...(references.length > 0 && { references }) }
}
