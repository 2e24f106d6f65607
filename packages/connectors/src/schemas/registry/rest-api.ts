import { MillraceError } from '@millrace/log'
import { incompatibilityText } from '../compatibility/incompatibility.ts'
import {
  IncompatibleSchemaError,
  InvalidSchemaError,
  RegistryErrorCode,
  RegistryFencedError,
  RegistryRefusedError,
  RegistryUnavailableError,
  SchemaNotFoundError
} from '../errors.ts'
import type { Registry } from './registry.ts'
import type { RestRequest, RestResponse } from './rest-message.ts'
import type { Route } from './route.ts'
import { compatibilityRoutes } from './routes/compatibility.ts'
import { schemaRoutes } from './routes/schemas.ts'
import { settingRoutes } from './routes/settings.ts'
import { subjectRoutes } from './routes/subjects.ts'

const ROUTES: readonly Route[] = [
  { method: 'GET', path: [], run: async () => ({}) },
  { method: 'GET', path: ['v1', 'metadata', 'id'], run: async ({ registry }) => clusterOf(registry) },
  ...schemaRoutes,
  ...subjectRoutes,
  ...compatibilityRoutes,
  ...settingRoutes
]

/** Where the registry keeps its schemas, as Confluent names it. */
function clusterOf({ clusterId }: Registry) {
  const clusters = { 'kafka-cluster': clusterId, 'schema-registry-cluster': 'schema-registry' }
  return { scope: { path: [], clusters }, id: '' }
}

/** Answers a request as Confluent's registry does: errors are `{ error_code, message }`. Never rejects. */
export async function answerRest(registry: Registry, request: RestRequest): Promise<RestResponse> {
  const candidates = ROUTES.filter(({ path }) => matches(path, request.segments))
  const route = candidates.find(({ method }) => method === request.method)
  if (route === undefined) {
    const status = candidates.length > 0 ? 405 : 404
    return failure(status, status, `HTTP ${status} ${status === 404 ? 'Not Found' : 'Method Not Allowed'}`)
  }
  try {
    const parameters = request.segments.filter((_, index) => route.path[index]?.startsWith(':'))
    return { status: 200, body: await route.run({ registry, parameters, query: request.query, body: request.body }) }
  } catch (error) {
    return restFailure(error)
  }
}

/** The answer that an error is. */
export function restFailure(error: unknown): RestResponse {
  if (error instanceof IncompatibleSchemaError) {
    const details = error.incompatibilities.map(incompatibilityText).join(', ')
    const message = `Schema being registered is incompatible with an earlier schema for subject "${error.subject}", details: [${details}]`
    return failure(409, RegistryErrorCode.INCOMPATIBLE_SCHEMA, message)
  }
  if (
    error instanceof SchemaNotFoundError ||
    error instanceof InvalidSchemaError ||
    error instanceof RegistryRefusedError ||
    error instanceof RegistryUnavailableError ||
    error instanceof RegistryFencedError
  ) {
    return failure(statusOf(error.errorCode), error.errorCode, error.message)
  }
  const message = error instanceof MillraceError ? error.message : 'Internal Server Error'
  return failure(500, RegistryErrorCode.STORE_FAILED, message)
}

function failure(status: number, code: number, message: string): RestResponse {
  return { status, body: { error_code: code, message } }
}

/** The first three digits. */
function statusOf(errorCode: number): number {
  return errorCode < 1000 ? errorCode : Math.floor(errorCode / 100)
}

function matches(path: readonly string[], segments: readonly string[]): boolean {
  return (
    path.length === segments.length && path.every((part, index) => part.startsWith(':') || part === segments[index])
  )
}
