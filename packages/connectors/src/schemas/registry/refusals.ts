import { RegistryErrorCode, RegistryRefusedError, SchemaNotFoundError } from '../errors.ts'
import type { VersionChoice } from '../schema.ts'

/** There is no such subject, or it is deleted. */
export function subjectNotFound(subject: string): SchemaNotFoundError {
  return new SchemaNotFoundError(RegistryErrorCode.SUBJECT_NOT_FOUND, `Subject '${subject}' not found.`)
}

/** The subject has no such version, or it is deleted. */
export function versionNotFound(version: VersionChoice): SchemaNotFoundError {
  return new SchemaNotFoundError(RegistryErrorCode.VERSION_NOT_FOUND, `Version ${version} not found.`)
}

/** There is no such schema, or none of such an id. */
export function schemaNotFound(id?: number): SchemaNotFoundError {
  const message = id === undefined ? 'Schema not found' : `Schema ${id} not found`
  return new SchemaNotFoundError(RegistryErrorCode.SCHEMA_NOT_FOUND, message)
}

/** It will not be done. */
export function refused(errorCode: number, message: string): RegistryRefusedError {
  return new RegistryRefusedError(errorCode, message)
}
