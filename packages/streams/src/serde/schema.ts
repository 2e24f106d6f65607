import { besideLogOf } from './beside-log.ts'
import { json } from './json.ts'
import { SchemaError, type SchemaIssue } from './schema-error.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** A validator of the Standard Schema specification, version 1: zod, valibot, arktype and others. */
export interface StandardSchema<I = unknown, O = I> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<O> | Promise<SchemaResult<O>>
    readonly types?: { readonly input: I; readonly output: O } | undefined
  }
}

/** What a validator answers. */
export type SchemaResult<O> =
  | { readonly value: O; readonly issues?: undefined }
  | { readonly issues: readonly ReportedIssue[] }

interface ReportedIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/**
 * Values as JSON (or as `serde` writes them) that a Standard Schema validator holds to their type: bytes that are of another shape are a
 * {@link SchemaError} that names the path, and what the schema transforms is transformed when it is read. What is written is not validated: the
 * compiler saw to it, and a schema that transforms need not accept what it gives.
 */
export function schema<O>(
  validator: StandardSchema<unknown, O>,
  options?: { readonly serde?: Serde<unknown> }
): Serde<O>
export function schema<I, O>(validator: StandardSchema<I, O>, options?: { readonly serde?: Serde<unknown> }): Serde<O>
export function schema<O>(
  validator: StandardSchema<unknown, O>,
  { serde = json<unknown>() }: { readonly serde?: Serde<unknown> } = {}
): Serde<O> {
  const { vendor, validate } = validator['~standard']
  const name = `schema(${vendor})`
  return Object.freeze({
    name,
    ...besideLogOf(serde),
    encode: (value: O) => serde.encode(value),
    decode(bytes: Buffer, start: number, end: number): O {
      const result = validate(serde.decode(bytes, start, end))
      if (result instanceof Promise) {
        result.catch(() => undefined)
        throw new SerdeError({ serde: name, operation: 'decode', problem: 'the schema validates asynchronously' })
      }
      if (result.issues === undefined) return result.value
      throw new SchemaError(name, result.issues.map(issueOf))
    }
  })
}

function issueOf({ message, path = [] }: ReportedIssue): SchemaIssue {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment))
  return { message, path: `$${keys.map(step).join('')}` }
}

function step(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`
  const text = String(key)
  return /^[A-Za-z_$][\w$]*$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`
}
