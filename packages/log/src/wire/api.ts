import type { Infer, Struct } from './schema.ts'

/** One Kafka API: its key, the versions we speak, the first flexible one, and both messages. */
export interface Api<Request extends Struct = Struct, Response extends Struct = Struct> {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** Lowest version that a broker lists in ApiVersions, when that is below `minVersion` for the sake of old clients. */
  readonly advertisedFrom?: number
  readonly flexibleFrom: number
  readonly request: Request
  readonly response: Response
}

/** The request object of an API; fields that a version lacks have their default. */
export type RequestOf<A extends Api> = Infer<A['request']>
/** The response object of an API. */
export type ResponseOf<A extends Api> = Infer<A['response']>

/** Declares an API, keeping the exact types of its messages. */
export function defineApi<Request extends Struct, Response extends Struct>(
  api: Api<Request, Response>
): Api<Request, Response> {
  return api
}
