import { RegistryErrorCode, SchemaNotFoundError } from '../errors.ts'
import type { VersionChoice } from '../schema.ts'
import type { Change } from './change.ts'
import { refused, subjectNotFound, versionNotFound } from './refusals.ts'
import type { RegistryRecord } from './registry-record.ts'
import type { RegistryState, StateVersion } from './registry-state.ts'

/** Plans the deletion of a subject with its settings; `permanent` is for one that was deleted before. */
export function deleteSubject(state: RegistryState, subject: string, permanent: boolean): Change<number[]> {
  requireDeletable(state, subject)
  const versions = state.versions(subject)
  const visible = versions.filter(({ deleted }) => !deleted)
  const last = versions.at(-1)
  if (last === undefined) throw subjectNotFound(subject)
  if (permanent && visible.length > 0) {
    const message = `Subject '${subject}' was not deleted first before being permanently deleted`
    throw new SchemaNotFoundError(RegistryErrorCode.SUBJECT_NOT_SOFT_DELETED, message)
  }
  if (!permanent && visible.length === 0) {
    const message = `Subject '${subject}' was soft deleted. Set permanent=true to delete permanently`
    throw new SchemaNotFoundError(RegistryErrorCode.SUBJECT_SOFT_DELETED, message)
  }
  const deleted = permanent ? versions : visible
  for (const version of deleted) requireUnreferenced(state, version)
  const records = permanent ? removals(state, versions) : softDeletion(state, subject, last.version)
  return { records, result: () => deleted.map(({ version }) => version) }
}

/** Plans the deletion of one version. */
export function deleteVersion(
  state: RegistryState,
  { subject, version }: { readonly subject: string; readonly version: VersionChoice },
  permanent: boolean
): Change<number> {
  requireDeletable(state, subject)
  const versions = state.versions(subject)
  if (versions.length === 0) throw subjectNotFound(subject)
  const found =
    version === 'latest'
      ? versions.findLast(({ deleted }) => permanent || !deleted)
      : versions.find((one) => one.version === version)
  if (found === undefined) throw versionNotFound(version)
  const { version: number, deleted: wasDeleted, id, schemaType, schema, references } = found
  if (permanent && !wasDeleted) {
    const message = `Subject '${subject}' Version ${number} was not deleted first before being permanently deleted`
    throw new SchemaNotFoundError(RegistryErrorCode.VERSION_NOT_SOFT_DELETED, message)
  }
  if (!permanent && wasDeleted) {
    const message = `Subject '${subject}' Version ${number} was soft deleted. Set permanent=true to delete permanently`
    throw new SchemaNotFoundError(RegistryErrorCode.VERSION_SOFT_DELETED, message)
  }
  requireUnreferenced(state, found)
  const value = { id, schemaType, schema, references, deleted: true }
  const records: readonly RegistryRecord[] = permanent
    ? removals(state, [found])
    : [{ kind: 'schema', subject, version: number, value }]
  return { records, result: () => number }
}

function softDeletion(state: RegistryState, subject: string, version: number): RegistryRecord[] {
  return [
    { kind: 'delete-subject', subject, version },
    ...(state.mode(subject) === undefined ? [] : [{ kind: 'mode' as const, subject, value: null }]),
    ...(state.config(subject) === undefined ? [] : [{ kind: 'config' as const, subject, value: null }])
  ]
}

/** Tombstones; and, since compaction will take away the last trace of their ids, a record that these were given away. */
function removals(state: RegistryState, versions: readonly StateVersion[]): RegistryRecord[] {
  return [
    { kind: 'noop', maxId: state.maxId },
    ...versions.map(({ subject, version }) => ({ kind: 'schema' as const, subject, version, value: null }))
  ]
}

function requireDeletable(state: RegistryState, subject: string): void {
  if (!state.modeOf(subject).startsWith('READONLY')) return
  throw refused(RegistryErrorCode.OPERATION_NOT_PERMITTED, `Subject ${subject} is in read-only mode`)
}

function requireUnreferenced(state: RegistryState, { subject, version }: StateVersion): void {
  const [user] = state.referencesTo(subject, version)
  if (user === undefined) return
  const message = `One or more references exist to version ${version} of subject '${subject}': version ${user.version} of '${user.subject}'`
  throw refused(RegistryErrorCode.REFERENCE_EXISTS, message)
}
