import type { Clock } from '@millrace/log'
import { withoutCredentials } from './errors.ts'

/** Headers of each request: constant, or asked for before each, e.g. for a token that expires. */
export type HttpHeaders =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)

/** The headers to send, names in lower case; of the same name the last wins. */
export async function headersToSend(
  ...all: readonly (HttpHeaders | undefined)[]
): Promise<Readonly<Record<string, string>>> {
  const merged: Record<string, string> = {}
  for (const one of all) {
    const given = typeof one === 'function' ? await one() : (one ?? {})
    for (const [name, value] of Object.entries(given)) merged[name.toLowerCase()] = value
  }
  return merged
}

/** Why an address or headers cannot be sent; undefined when they can. The value of a header, perhaps a secret, is not shown. */
export function unsendable(url: string, headers: Readonly<Record<string, string>>): string | undefined {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return `'${withoutCredentials(url)}' is no URL of http or https`
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) return `'${name}' is no name of a header`
    if (!HEADER_VALUE.test(value)) return `the header ${name} has characters that headers cannot have`
  }
  return undefined
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Visible characters of Latin-1, spaces and tabs (RFC 9110, 5.5). */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const LONGEST_WAIT_MS = 3_600_000

/**
 * How long a server asks to be left alone: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), in milliseconds, at most an hour,
 * since a mistake there should not be waited out. Undefined when it does not say.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>> | undefined, clock: Clock): number | undefined {
  const given = headers?.['retry-after']?.trim()
  if (given === undefined || given === '') return undefined
  const waitMs = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - clock.nowMs()
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), LONGEST_WAIT_MS)
}

/** Whether a status says that the same request may succeed later. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

/** The target of `Link: <…>; rel="next"` (RFC 8288), resolved; undefined without one. */
export function linkNext(headers: Readonly<Record<string, string>>, baseUrl: string): string | undefined {
  for (const [, target, parameters] of (headers.link ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters)
    const relations = (relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/)
    if (relations.includes('next')) return new URL(target, baseUrl).href
  }
  return undefined
}
