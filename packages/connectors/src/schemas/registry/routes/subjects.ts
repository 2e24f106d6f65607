import { RegistryErrorCode } from '../../errors.ts'
import type { RegisteredSchema } from '../../schema.ts'
import { refused, subjectNotFound } from '../refusals.ts'
import { flag } from '../rest-message.ts'
import { bodyOf, type Route, schemaBody, schemaOf, versionOf } from '../route.ts'

/** Subjects and their versions: register, look up, list, delete. */
export const subjectRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: ['subjects'],
    run: async ({ registry, query }) => {
      const prefix = query.get('subjectPrefix') ?? ''
      const deleted = flag(query, 'deleted')
      const only = flag(query, 'deletedOnly')
      return registry.state.subjects().filter((subject) => {
        const isDeleted = registry.state.versions(subject).every((version) => version.deleted)
        return subject.startsWith(prefix) && (only ? isDeleted : deleted || !isDeleted)
      })
    }
  },
  {
    method: 'POST',
    path: ['subjects', ':subject'],
    run: async (call) => {
      const { registry, parameters, query } = call
      const options = { ...normalization(query), deleted: flag(query, 'deleted') }
      return versionBody(await registry.lookup(parameters[0], schemaOf(call), options))
    }
  },
  {
    method: 'DELETE',
    path: ['subjects', ':subject'],
    run: ({ registry, parameters, query }) =>
      registry.deleteSubject(parameters[0], { permanent: flag(query, 'permanent') })
  },
  {
    method: 'GET',
    path: ['subjects', ':subject', 'versions'],
    run: ({ registry, parameters, query }) => registry.versions(parameters[0], { deleted: flag(query, 'deleted') })
  },
  {
    method: 'POST',
    path: ['subjects', ':subject', 'versions'],
    run: async (call) => {
      const { registry, parameters, query } = call
      const [subject] = parameters
      if (subject.trim() === '')
        throw refused(RegistryErrorCode.INVALID_SUBJECT, `The specified subject '${subject}' is not a valid.`)
      const { id, version } = bodyOf(call)
      // Clients write -1 or 0 for none.
      const as = { ...(isNumber(id) && { id }), ...(isNumber(version) && { version }) }
      const made = await registry.register(subject, schemaOf(call), { ...normalization(query), as })
      return { id: made.id, version: made.version, schemaType: made.schemaType, ...schemaBody(made) }
    }
  },
  {
    method: 'GET',
    path: ['subjects', ':subject', 'versions', ':version'],
    run: async ({ registry, parameters: [subject, version], query }) =>
      versionBody(await registry.version(subject, versionOf(version), { deleted: flag(query, 'deleted') }))
  },
  {
    method: 'DELETE',
    path: ['subjects', ':subject', 'versions', ':version'],
    run: ({ registry, parameters: [subject, version], query }) =>
      registry.deleteVersion(subject, versionOf(version), { permanent: flag(query, 'permanent') })
  },
  {
    method: 'GET',
    path: ['subjects', ':subject', 'versions', ':version', 'schema'],
    run: async ({ registry, parameters: [subject, version], query }) => {
      const found = await registry.version(subject, versionOf(version), { deleted: flag(query, 'deleted') })
      return JSON.parse(found.schema)
    }
  },
  {
    method: 'GET',
    path: ['subjects', ':subject', 'versions', ':version', 'referencedby'],
    run: async ({ registry, parameters: [subject, version] }) => {
      if (registry.state.versions(subject).length === 0) throw subjectNotFound(subject)
      const found = await registry.version(subject, versionOf(version), { deleted: true })
      const users = registry.state.referencesTo(subject, found.version).filter(({ deleted }) => !deleted)
      return [...new Set(users.map(({ id }) => id))]
    }
  }
]

function normalization(query: URLSearchParams): { readonly normalize?: boolean } {
  return flag(query, 'normalize') ? { normalize: true } : {}
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value > 0
}

function versionBody(version: RegisteredSchema) {
  const { subject, id, version: number } = version
  return { subject, version: number, id, ...schemaBody(version) }
}
