import { type MillraceError, UsageError } from '@millrace/log'
import { SerdeError, SerdeNotReadyError } from '@millrace/streams'
import type { SchemaRegistry } from '../client/schema-registry.ts'
import { InvalidSchemaError, RegistryRefusedError, SchemaNotFoundError } from '../errors.ts'
import type { ResolvedReference, ResolvedSchema, SchemaText } from '../schema.ts'

/** Reads values written with one schema. */
export type DecodePayload = (bytes: Buffer, start: number, end: number) => unknown

/** What decoders are made of. */
export interface WriterSchemasOptions {
  /** The serde's name, for errors. */
  readonly serde: string
  readonly registry: SchemaRegistry
  /** Makes what reads values written with a schema. */
  readonly decoderOf: (schema: ResolvedSchema) => DecodePayload
}

/**
 * The schemas that values were written with, by id. Known ones are there at once; an unknown one is asked for, and until it is there, who
 * wants it is told to come back: the value is not bad, and may not be skipped.
 */
export class WriterSchemas {
  readonly #options: WriterSchemasOptions
  readonly #decoders = new Map<number, DecodePayload>()
  readonly #loading = new Map<number, Promise<void>>()

  constructor(options: WriterSchemasOptions) {
    this.#options = options
  }

  /**
   * What reads values written with the schema of an id.
   * @throws SerdeNotReadyError while it is being asked for. What it throws for values of a schema that there is not, or that cannot be read, is a
   * SerdeError.
   */
  decoder(id: number): DecodePayload {
    const known = this.#decoders.get(id)
    if (known !== undefined) return known
    const problem = `the schema ${id} that the value was written with is not loaded yet`
    throw new SerdeNotReadyError({ serde: this.#options.serde, problem, ready: this.load(id) })
  }

  /** Has the schema of an id there. @throws RegistryUnavailableError when the registry cannot answer: load it again. */
  load(id: number): Promise<void> {
    if (this.#decoders.has(id)) return Promise.resolve()
    const underWay = this.#loading.get(id)
    if (underWay !== undefined) return underWay
    const loading = this.#load(id).finally(() => this.#loading.delete(id))
    this.#loading.set(id, loading)
    // Who asked by decoding may not wait for it.
    loading.catch(() => undefined)
    return loading
  }

  /** Takes in a schema that was got otherwise. */
  add(id: number, schema: ResolvedSchema): void {
    if (this.#decoders.has(id)) return
    this.#decoders.set(id, this.#made(schema))
  }

  async #load(id: number): Promise<void> {
    const { registry } = this.#options
    try {
      this.add(id, await resolveFrom(registry, await registry.schemaById(id)))
    } catch (error) {
      if (!isFinal(error)) throw error
      this.#decoders.set(id, this.#never(`the schema ${id} that the value was written with: ${error.message}`, error))
    }
  }

  #made(schema: ResolvedSchema): DecodePayload {
    try {
      return this.#options.decoderOf(schema)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return this.#never(`values of the schema they were written with cannot be read: ${message}`, error)
    }
  }

  #never(problem: string, cause: unknown): DecodePayload {
    const { serde } = this.#options
    return () => {
      throw new SerdeError({ serde, operation: 'decode', problem }, { cause })
    }
  }
}

/** A schema with the texts of all it refers to, each before what needs it. @throws SchemaNotFoundError */
export async function resolveFrom(registry: SchemaRegistry, text: SchemaText): Promise<ResolvedSchema> {
  const resolved = new Map<string, ResolvedReference>()
  const seen = new Set<string>()
  const collect = async ({ references }: SchemaText): Promise<void> => {
    for (const { name, subject, version } of references) {
      const key = `${version}/${subject}`
      if (seen.has(key)) continue
      seen.add(key)
      const referred = await registry.version(subject, version, { deleted: true })
      await collect(referred)
      if (!resolved.has(name)) resolved.set(name, { name, schema: referred.schema })
    }
  }
  await collect(text)
  return { text, resolved: [...resolved.values()] }
}

/** Whether asking again would give the same answer. */
function isFinal(error: unknown): error is MillraceError {
  return (
    error instanceof SchemaNotFoundError ||
    error instanceof RegistryRefusedError ||
    error instanceof InvalidSchemaError ||
    error instanceof UsageError
  )
}
