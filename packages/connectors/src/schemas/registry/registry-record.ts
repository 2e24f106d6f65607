import type { CompatibilityLevel } from '../compatibility/level.ts'
import { compatibilityLevel } from '../compatibility/level.ts'
import { RegistryTopicError } from '../errors.ts'
import type { SchemaReference, SchemaText, SchemaType } from '../schema.ts'
import { type RegistryMode, registryMode } from './registry-mode.ts'

/** A record of the registry's topic, in Confluent's format. */
export type RegistryRecord =
  | { readonly kind: 'schema'; readonly subject: string; readonly version: number; readonly value: StoredSchema | null }
  | { readonly kind: 'config'; readonly subject: string | null; readonly value: SubjectConfig | null }
  | { readonly kind: 'mode'; readonly subject: string | null; readonly value: RegistryMode | null }
  /** All versions of the subject up to `version` are deleted, and may be seen by those who ask for deleted ones. */
  | { readonly kind: 'delete-subject'; readonly subject: string; readonly version: number }
  | { readonly kind: 'clear-subject'; readonly subject: string }
  /** Ids up to `maxId` were given away, though no schema may be left that has it. Others take the record for one that says nothing. */
  | { readonly kind: 'noop'; readonly maxId: number }

/** What is kept of a version. */
export interface StoredSchema extends SchemaText {
  readonly id: number
  readonly deleted: boolean
}

/** What is set for a subject, or for all that have no setting of their own. */
export interface SubjectConfig {
  readonly compatibilityLevel?: CompatibilityLevel
  /** Whether schemas are normalized before they are compared. */
  readonly normalize?: boolean
}

/** Bytes for the topic; a null value is a tombstone. */
export interface EncodedRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** Writes a record as Confluent's serializer does: attributes in its order, so that equal keys are equal bytes. */
export function encodeRegistryRecord(record: RegistryRecord): EncodedRecord {
  switch (record.kind) {
    case 'schema': {
      const { subject, version, value } = record
      const key = json({ keytype: 'SCHEMA', subject, version, magic: 1 })
      return { key, value: value && json(schemaValue(subject, version, value)) }
    }
    case 'config': {
      const { subject, value } = record
      const key = json({ keytype: 'CONFIG', subject, magic: 0 })
      return { key, value: value && json({ subject, ...value }) }
    }
    case 'mode': {
      const { subject, value } = record
      return { key: json({ keytype: 'MODE', subject, magic: 0 }), value: value && json({ subject, mode: value }) }
    }
    case 'delete-subject': {
      const { subject, version } = record
      return { key: json({ keytype: 'DELETE_SUBJECT', subject, magic: 0 }), value: json({ subject, version }) }
    }
    case 'clear-subject': {
      const { subject } = record
      return { key: json({ keytype: 'CLEAR_SUBJECT', subject, magic: 0 }), value: json({ subject }) }
    }
    case 'noop':
      return { key: json({ keytype: 'NOOP', magic: 0 }), value: json({ maxId: record.maxId }) }
  }
}

function schemaValue(subject: string, version: number, { id, schemaType, references, schema, deleted }: StoredSchema) {
  return {
    subject,
    version,
    id,
    ...(schemaType !== 'AVRO' && { schemaType }),
    ...(references.length > 0 && { references }),
    schema,
    deleted
  }
}

/**
 * Reads a record. Undefined: it is of a kind that says nothing about schemas, or of a language that is not known here.
 * @throws RegistryTopicError when it is no registry's.
 */
export function decodeRegistryRecord(
  key: Buffer | null,
  value: Buffer | null,
  where: { readonly topic: string; readonly offset: number }
): RegistryRecord | undefined {
  const fail = (problem: string, options?: ErrorOptions) => new RegistryTopicError(where, problem, options)
  const parse = (bytes: Buffer): Json => {
    try {
      const parsed: unknown = JSON.parse(bytes.toString('utf8'))
      if (isObject(parsed)) return parsed
    } catch (cause) {
      throw fail('it is not JSON', { cause })
    }
    throw fail('it is no object')
  }
  if (key === null) throw fail('it has no key')
  const { keytype, subject, version } = parse(key)
  const body = value === null ? null : parse(value)
  switch (keytype) {
    case 'SCHEMA':
      if (typeof subject !== 'string' || typeof version !== 'number') throw fail('a schema has no subject or version')
      return { kind: 'schema', subject, version, value: body && storedSchema(body, fail) }
    case 'CONFIG':
      return { kind: 'config', subject: textOrNull(subject), value: body && configOf(body) }
    case 'MODE':
      return { kind: 'mode', subject: textOrNull(subject), value: body && (registryMode(body.mode) ?? null) }
    case 'DELETE_SUBJECT':
      if (typeof subject !== 'string' || typeof body?.version !== 'number') return undefined
      return { kind: 'delete-subject', subject, version: body.version }
    case 'CLEAR_SUBJECT':
      return typeof subject === 'string' && body !== null ? { kind: 'clear-subject', subject } : undefined
    case 'NOOP':
      return typeof body?.maxId === 'number' ? { kind: 'noop', maxId: body.maxId } : undefined
    default:
      return undefined
  }
}

type Json = Readonly<Record<string, unknown>>

function storedSchema(body: Json, fail: (problem: string) => RegistryTopicError): StoredSchema {
  const { id, schema } = body
  if (typeof id !== 'number' || typeof schema !== 'string') throw fail('a schema has no id or text')
  const schemaType = schemaTypeOf(body.schemaType)
  if (schemaType === undefined) throw fail(`schemas of the type ${body.schemaType} are not supported`)
  const references = Array.isArray(body.references) ? body.references.filter(isReference) : []
  return { id, schemaType, schema, references, deleted: body.deleted === true }
}

/** The language that a registry's JSON names; Avro when it names none. Undefined: one that is not known. */
export function schemaTypeOf(value: unknown): SchemaType | undefined {
  if (value === undefined || value === null || value === 'AVRO') return 'AVRO'
  return value === 'JSON' ? 'JSON' : undefined
}

/** Whether JSON is a reference. */
export function isReference(value: unknown): value is SchemaReference {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    typeof value.subject === 'string' &&
    typeof value.version === 'number'
  )
}

function configOf({ compatibilityLevel: level, normalize }: Json): SubjectConfig {
  const known = compatibilityLevel(level)
  return {
    ...(known !== undefined && { compatibilityLevel: known }),
    ...(typeof normalize === 'boolean' && { normalize })
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8')
}
