/** A request to a registry, off the wire. */
export interface RestRequest {
  readonly method: string
  /** Decoded segments of the path: `['subjects', 'clicks-value', 'versions']`. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  /** The body's JSON; undefined: there was none. */
  readonly body: unknown
}

/** What is answered: JSON and a status. */
export interface RestResponse {
  readonly status: number
  readonly body: unknown
}

/** The flag of a query: `true` in any case, everything else is false. */
export function flag(query: URLSearchParams, name: string): boolean {
  return query.get(name)?.toLowerCase() === 'true'
}
