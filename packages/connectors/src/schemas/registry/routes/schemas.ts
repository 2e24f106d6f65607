import { SchemaNotFoundError } from '../../errors.ts'
import { schemaNotFound } from '../refusals.ts'
import type { Registry } from '../registry.ts'
import type { StateVersion } from '../registry-state.ts'
import { flag } from '../rest-message.ts'
import { type Route, schemaBody } from '../route.ts'

/** Schemas by their ids. */
export const schemaRoutes: readonly Route[] = [
  { method: 'GET', path: ['schemas', 'types'], run: async () => ['JSON', 'AVRO'] },
  {
    method: 'GET',
    path: ['schemas'],
    run: async ({ registry, query }) => {
      const prefix = query.get('subjectPrefix') ?? ''
      const isLatestOnly = flag(query, 'latestOnly')
      const subjects = registry.state.subjects().filter((subject) => subject.startsWith(prefix))
      return subjects.flatMap((subject) => {
        const versions = registry.state.versions(subject).filter(({ deleted }) => flag(query, 'deleted') || !deleted)
        const listed = isLatestOnly ? versions.slice(-1) : versions
        return listed.map((one) => ({ subject, version: one.version, id: one.id, ...schemaBody(one) }))
      })
    }
  },
  {
    method: 'GET',
    path: ['schemas', 'ids', ':id'],
    run: async ({ registry, parameters: [id], query }) => {
      const text = await registry.schemaById(idOf(id))
      return { ...schemaBody(text), ...(flag(query, 'fetchMaxId') && { maxId: registry.state.maxId }) }
    }
  },
  {
    method: 'GET',
    path: ['schemas', 'ids', ':id', 'schema'],
    run: async ({ registry, parameters: [id] }) => JSON.parse((await registry.schemaById(idOf(id))).schema)
  },
  {
    method: 'GET',
    path: ['schemas', 'ids', ':id', 'subjects'],
    run: async ({ registry, parameters: [id], query }) => {
      const versions = versionsOf(registry, idOf(id), flag(query, 'deleted'))
      return [...new Set(versions.map(({ subject }) => subject))]
    }
  },
  {
    method: 'GET',
    path: ['schemas', 'ids', ':id', 'versions'],
    run: async ({ registry, parameters: [id], query }) =>
      versionsOf(registry, idOf(id), flag(query, 'deleted')).map(({ subject, version }) => ({ subject, version }))
  }
]

function idOf(text: string): number {
  const id = Number(text)
  if (!Number.isInteger(id)) throw new SchemaNotFoundError(404, `HTTP 404 Not Found: '${text}' is no schema's id`)
  return id
}

function versionsOf(registry: Registry, id: number, deleted: boolean): StateVersion[] {
  if (registry.state.schema(id) === undefined) throw schemaNotFound(id)
  const all = registry.state.subjects().flatMap((subject) => registry.state.versions(subject))
  return all.filter((version) => version.id === id && (deleted || !version.deleted))
}
