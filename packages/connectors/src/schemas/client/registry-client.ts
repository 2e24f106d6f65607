import { UsageError } from '@millrace/log'
import { fetchHttp } from '../../http-port/fetch-http.ts'
import type { HttpPort, HttpRequest } from '../../http-port/http-port.ts'
import { type Incompatibility, parseIncompatibility } from '../compatibility/incompatibility.ts'
import type { CompatibilityLevel } from '../compatibility/level.ts'
import { compatibilityLevel } from '../compatibility/level.ts'
import type { RegisteredSchema, SchemaText, VersionChoice } from '../schema.ts'
import { numberListOf, registeredOf, schemaTextOf, textListOf } from './registry-answer.ts'
import { registryError, unreadable } from './registry-failure.ts'
import type { SchemaRegistry } from './schema-registry.ts'

/** Options of {@link registryClient}. */
export interface RegistryClientOptions {
  /** `http://localhost:8081`; several are asked in turn until one answers. */
  readonly url: string | readonly string[]
  /** Default: Node's fetch. */
  readonly http?: HttpPort
  /** Sent with each request, e.g. `{ authorization: 'Bearer …' }`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A client of a schema registry's REST API. */
export interface RegistryClient extends SchemaRegistry {
  /** Names of the subjects. */
  subjects(options?: { readonly prefix?: string; readonly deleted?: boolean }): Promise<readonly string[]>
  /** Why a schema may not be registered; empty: it may. Without a version by the subject's level, against all that it compares with. */
  checkCompatibility(
    subject: string,
    schema: SchemaText,
    options?: { readonly version?: VersionChoice }
  ): Promise<readonly Incompatibility[]>
  /** The compatibility level that applies to a subject, or globally. */
  level(subject?: string): Promise<CompatibilityLevel>
  /** Sets the level of a subject, or the global one (null). */
  setLevel(subject: string | null, level: CompatibilityLevel): Promise<void>
  /** Deletes a subject; `permanent` is for one that was deleted before. The versions it had. */
  deleteSubject(subject: string, options?: { readonly permanent?: boolean }): Promise<readonly number[]>
}

const TYPE = 'application/vnd.schemaregistry.v1+json'

/**
 * A client of Confluent's schema registry, or one that speaks its REST API. Schemas by id, which never change, and what was registered are remembered.
 * Calls throw the errors of the embedded registry; RegistryUnavailableError when there is no answer.
 * @throws UsageError for a URL that is none.
 */
export function registryClient({ url, http = fetchHttp(), headers = {} }: RegistryClientOptions): RegistryClient {
  const call = caller({ bases: basesOf(url), http, headers })
  const byId = new Map<number, Promise<SchemaText>>()
  const registered = new Map<string, Promise<RegisteredSchema>>()
  const version: SchemaRegistry['version'] = async (subject, choice, options = {}) =>
    registeredOf(await call('GET', `${versionsPath(subject)}/${choice}`, { deleted: options.deleted }))
  const lookup: SchemaRegistry['lookup'] = async (subject, schema, options = {}) => {
    const answer = await call('POST', subjectPath(subject), { normalize: options.normalize }, requestBody(schema))
    return registeredOf(answer)
  }
  const register: SchemaRegistry['register'] = async (subject, schema, options = {}) => {
    await call('POST', versionsPath(subject), { normalize: options.normalize }, requestBody(schema), subject)
    // Older registries answer with the id alone.
    return lookup(subject, schema, options)
  }
  return Object.freeze({
    register: (subject, schema, options = {}) =>
      remember(registered, JSON.stringify([subject, schema, options]), () => register(subject, schema, options)),
    lookup,
    schemaById: (id) => remember(byId, id, async () => schemaTextOf(await call('GET', `/schemas/ids/${id}`))),
    version,
    versions: async (subject, options = {}) =>
      numberListOf(await call('GET', versionsPath(subject), { deleted: options.deleted })),
    subjects: async (options = {}) =>
      textListOf(await call('GET', '/subjects', { subjectPrefix: options.prefix, deleted: options.deleted })),
    async checkCompatibility(subject, schema, options = {}) {
      const against = options.version === undefined ? '' : `/${options.version}`
      const path = `/compatibility${versionsPath(subject)}${against}`
      const answer = await call('POST', path, { verbose: true }, requestBody(schema))
      if (answer.is_compatible === true) return []
      const messages = Array.isArray(answer.messages) ? answer.messages.map(String) : []
      return (messages.length === 0 ? ['the registry does not say why'] : messages).map(parseIncompatibility)
    },
    async level(subject) {
      const path = subject === undefined ? '/config' : `/config/${encodeURIComponent(subject)}`
      const { compatibilityLevel: answered } = await call('GET', path, { defaultToGlobal: subject && true })
      const level = compatibilityLevel(answered)
      if (level === undefined) throw unreadable('GET', path, `${answered} is no compatibility level`)
      return level
    },
    async setLevel(subject, level) {
      const path = subject === null ? '/config' : `/config/${encodeURIComponent(subject)}`
      await call('PUT', path, {}, { compatibility: level })
    },
    deleteSubject: async (subject, options = {}) =>
      numberListOf(await call('DELETE', subjectPath(subject), { permanent: options.permanent }))
  } satisfies RegistryClient)
}

type Query = Readonly<Record<string, string | boolean | undefined>>
type Json = Readonly<Record<string, unknown>>

interface Destination {
  readonly bases: readonly string[]
  readonly http: HttpPort
  readonly headers: Readonly<Record<string, string>>
}

/** Sends requests; a server that does not answer, or has broken down, gives way to the next. */
function caller({ bases, http, headers }: Destination) {
  let first = 0
  return async (...[method, path, query = {}, body, subject = '']: CallArguments): Promise<Json> => {
    let failure: unknown
    for (let i = 0; i < bases.length; i++) {
      const base = (first + i) % bases.length
      const request: HttpRequest = {
        method,
        url: `${bases[base]}${path}${queryText(query)}`,
        headers: { accept: TYPE, ...(body !== undefined && { 'content-type': TYPE }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) })
      }
      try {
        const { status, body: text } = await http(request)
        if (status < 500) first = base
        if (status < 400) return jsonOf(request, text)
        failure = registryError(request, { status, text, subject })
        if (status < 500) break
      } catch (cause) {
        failure = registryError(request, { cause })
      }
    }
    throw failure
  }
}

type CallArguments = [method: HttpRequest['method'], path: string, query?: Query, body?: Json, subject?: string]

function jsonOf({ method, url }: HttpRequest, text: string): Json {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return Array.isArray(parsed) ? { list: parsed } : { ...parsed }
  } catch (cause) {
    throw unreadable(method, url, 'it is not JSON', { cause })
  }
  throw unreadable(method, url, 'it is no object')
}

function requestBody({ schemaType, schema, references }: SchemaText): Json {
  return { schema, ...(schemaType !== 'AVRO' && { schemaType }), ...(references.length > 0 && { references }) }
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== false)
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`
}

function subjectPath(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`
}

function versionsPath(subject: string): string {
  return `${subjectPath(subject)}/versions`
}

/** Asks once for what does not change; a failure is forgotten. */
function remember<K, V>(known: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
  const before = known.get(key)
  if (before !== undefined) return before
  const asked = ask()
  known.set(key, asked)
  asked.catch(() => known.delete(key))
  return asked
}

function basesOf(url: string | readonly string[]): string[] {
  const urls = typeof url === 'string' ? url.split(',') : url
  return urls.map((one) => {
    const base = one.trim().replace(/\/+$/, '')
    if (!/^https?:\/\//.test(base))
      throw new UsageError(`'${one}' is no address of a schema registry: write 'http://host:8081'`)
    return base
  })
}
