import { MillraceError } from '@millrace/log'
import type { Incompatibility } from './compatibility/incompatibility.ts'

/** Confluent's numbers for what a registry refuses, of which the HTTP status is the first three digits. */
export const RegistryErrorCode = Object.freeze({
  NOT_FOUND: 404,
  SUBJECT_NOT_FOUND: 40401,
  VERSION_NOT_FOUND: 40402,
  SCHEMA_NOT_FOUND: 40403,
  SUBJECT_SOFT_DELETED: 40404,
  SUBJECT_NOT_SOFT_DELETED: 40405,
  VERSION_SOFT_DELETED: 40406,
  VERSION_NOT_SOFT_DELETED: 40407,
  SUBJECT_WITHOUT_LEVEL: 40408,
  SUBJECT_WITHOUT_MODE: 40409,
  INCOMPATIBLE_SCHEMA: 40901,
  INVALID_SCHEMA: 42201,
  INVALID_VERSION: 42202,
  INVALID_LEVEL: 42203,
  INVALID_MODE: 42204,
  OPERATION_NOT_PERMITTED: 42205,
  REFERENCE_EXISTS: 42206,
  ID_DOES_NOT_MATCH: 42207,
  INVALID_SUBJECT: 42208,
  SCHEMA_TOO_LARGE: 42209,
  STORE_FAILED: 50001,
  TIMED_OUT: 50002,
  NOT_THE_WRITER: 50003
})

/** A schema is none: not JSON, or against the rules of its language. Mend the schema. */
export class InvalidSchemaError extends MillraceError {
  readonly code = 'CONNECTORS_SCHEMA_INVALID'
  readonly errorCode = RegistryErrorCode.INVALID_SCHEMA
  /** Where in the schema, as a JSON pointer; empty: the schema itself, or unknown. */
  readonly path: string

  constructor(details: { readonly path?: string; readonly problem: string }, options?: ErrorOptions) {
    const where = details.path ? ` at ${details.path}` : ''
    super(`invalid schema${where}: ${details.problem}`, options)
    this.path = details.path ?? ''
  }
}

/** The schema cannot be the next one of its subject. Change it, or the subject's compatibility level. */
export class IncompatibleSchemaError extends MillraceError {
  readonly code = 'CONNECTORS_SCHEMA_INCOMPATIBLE'
  readonly errorCode = RegistryErrorCode.INCOMPATIBLE_SCHEMA
  readonly subject: string
  /** What is incompatible, each with its path. */
  readonly incompatibilities: readonly Incompatibility[]

  constructor(subject: string, incompatibilities: readonly Incompatibility[], summary?: string) {
    const shown = incompatibilities.slice(0, 5).map(({ path, type, message }) => `${path}: ${message} (${type})`)
    const more = incompatibilities.length > shown.length ? `; and ${incompatibilities.length - shown.length} more` : ''
    const what = shown.length > 0 ? `${shown.join('; ')}${more}` : (summary ?? 'the registry does not say why')
    super(`the schema is incompatible with an earlier one of subject '${subject}': ${what}`)
    this.subject = subject
    this.incompatibilities = incompatibilities
  }
}

/** What was asked for is not in the registry: no such subject, version, schema or setting. `errorCode` says which. */
export class SchemaNotFoundError extends MillraceError {
  readonly code = 'CONNECTORS_SCHEMA_NOT_FOUND'
  /** One of Confluent's 404xx. */
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}

/** The registry will not do it as things stand (its mode, a reference, a wrong argument, missing rights). Change the request or the registry. */
export class RegistryRefusedError extends MillraceError {
  readonly code = 'CONNECTORS_REGISTRY_REFUSED'
  /** One of Confluent's numbers, or the HTTP status where the answer had none. */
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}

/** The registry cannot answer now: it is down, overloaded, or cannot write. Try again later. */
export class RegistryUnavailableError extends MillraceError {
  readonly code = 'CONNECTORS_REGISTRY_UNAVAILABLE'
  readonly errorCode: number

  constructor(errorCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.errorCode = errorCode
  }
}

/** Another registry has opened the same log since, and writes it from now on. This one still answers from what it knows; close it. */
export class RegistryFencedError extends MillraceError {
  readonly code = 'CONNECTORS_REGISTRY_FENCED'
  readonly errorCode = RegistryErrorCode.NOT_THE_WRITER
  readonly topic: string

  constructor(topic: string, options?: ErrorOptions) {
    super(`another registry has taken over the topic ${topic}: close this one, or send writes to that one`, options)
    this.topic = topic
  }
}

/** A record of the registry's topic is none of Confluent's. Nothing is served from a topic that cannot be read whole. */
export class RegistryTopicError extends MillraceError {
  readonly code = 'CONNECTORS_REGISTRY_TOPIC'
  readonly topic: string
  readonly offset: number

  constructor(where: { readonly topic: string; readonly offset: number }, problem: string, options?: ErrorOptions) {
    super(`the record at offset ${where.offset} of ${where.topic} is not a schema registry's: ${problem}`, options)
    this.topic = where.topic
    this.offset = where.offset
  }
}
