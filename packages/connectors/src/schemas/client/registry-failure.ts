import type { MillraceError } from '@millrace/log'
import type { HttpRequest } from '../../http-port/http-port.ts'
import { parseIncompatibility } from '../compatibility/incompatibility.ts'
import {
  IncompatibleSchemaError,
  InvalidSchemaError,
  RegistryErrorCode,
  RegistryRefusedError,
  RegistryUnavailableError,
  SchemaNotFoundError
} from '../errors.ts'

/** How a request failed: with an answer, or without one. */
export type FailedCall =
  | { readonly status: number; readonly text: string; readonly subject: string }
  | { readonly cause: unknown }

/** The error that an answer is, or that there was none. */
export function registryError({ method, url }: HttpRequest, failed: FailedCall): MillraceError {
  const request = `${method} ${withoutSecrets(url)}`
  if ('cause' in failed) {
    const why = failed.cause instanceof Error ? failed.cause.message : String(failed.cause)
    const message = `the schema registry did not answer ${request}: ${why}; is it running there?`
    return new RegistryUnavailableError(RegistryErrorCode.TIMED_OUT, message, { cause: failed.cause })
  }
  const { status, text, subject } = failed
  const { code, message } = bodyOf(status, text)
  const said = `the schema registry answered ${request} with ${code}: ${message}`
  if (status >= 500 || status === 408 || status === 429) return new RegistryUnavailableError(code, said)
  if (status === 409) return new IncompatibleSchemaError(subject, incompatibilitiesOf(message), message)
  if (code === RegistryErrorCode.INVALID_SCHEMA) return new InvalidSchemaError({ problem: message })
  return status === 404 ? new SchemaNotFoundError(code, said) : new RegistryRefusedError(code, said)
}

/** An answer that says nothing the client understands. */
export function unreadable(...[method, url, problem, options]: UnreadableArguments): RegistryUnavailableError {
  const message = `the schema registry's answer to ${method} ${withoutSecrets(url)} cannot be read: ${problem}; is it a schema registry?`
  return new RegistryUnavailableError(RegistryErrorCode.STORE_FAILED, message, options)
}

type UnreadableArguments = [method: string, url: string, problem: string, options?: ErrorOptions]

function bodyOf(status: number, text: string): { readonly code: number; readonly message: string } {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && 'error_code' in body && typeof body.error_code === 'number') {
      return { code: body.error_code, message: 'message' in body ? String(body.message) : '' }
    }
  } catch {
    // Not a registry's own answer: a proxy's, perhaps.
  }
  return { code: status, message: text.slice(0, 200) }
}

/** The `{errorType:…}` parts of a refusal. */
function incompatibilitiesOf(message: string) {
  return [...message.matchAll(/\{\s*errorType:.*?['"]\s*\}/gs)].map(([text]) => parseIncompatibility(text))
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}
