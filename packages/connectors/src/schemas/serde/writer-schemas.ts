import { type Environment, type MillraceError, UsageError } from '@millrace/log'
import { SerdeError, SerdeNotReadyError } from '@millrace/streams'
import { sleep } from '../../sleep.ts'
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
  /** The clock and timers to use. */
  readonly environment: Pick<Environment, 'clock' | 'timers'>
}

/** A schema that the registry did not have, or did not give, when it was last asked. */
interface MissingSchema {
  readonly decoder: DecodePayload
  askedMs: number
  usedMs: number
}

/** A registry of several servers gives a new schema where it was registered at once, and elsewhere a moment later: before it counts as missing. */
const AGAIN_MS = [100, 200, 400]
/** How often a schema that values still name is asked for while it is missing. */
const ASK_EVERY_MS = 1000
/** After so long without a value that names it, it is as unknown as at first. */
const MISSING_FOR_MS = 60_000

/**
 * The schemas that values were written with, by id. Known ones are there at once; an unknown one is asked for, and until it is there, who
 * wants it is told to come back: the value is not bad, and may not be skipped.
 *
 * That a registry has no schema of an id is true for a while only: it is asked again beside the values that name it.
 */
export class WriterSchemas {
  readonly #options: WriterSchemasOptions
  readonly #decoders = new Map<number, DecodePayload>()
  readonly #missing = new Map<number, MissingSchema>()
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
    const missing = this.#stillMissing(id)
    if (missing !== undefined) return missing
    const problem = `the schema ${id} that the value was written with is not loaded yet`
    throw new SerdeNotReadyError({ serde: this.#options.serde, problem, ready: this.load(id) })
  }

  /** Has the schema of an id there. @throws RegistryUnavailableError when the registry cannot answer: load it again. */
  load(id: number): Promise<void> {
    if (this.#decoders.has(id)) return Promise.resolve()
    return this.#loadOnce(id, AGAIN_MS)
  }

  #loadOnce(id: number, againMs: readonly number[]): Promise<void> {
    const underWay = this.#loading.get(id)
    if (underWay !== undefined) return underWay
    const loading = this.#load(id, againMs).finally(() => this.#loading.delete(id))
    this.#loading.set(id, loading)
    // Who asked by decoding may not wait for it.
    loading.catch(() => undefined)
    return loading
  }

  /** Takes in a schema that was got otherwise. */
  add(id: number, schema: ResolvedSchema): void {
    if (this.#decoders.has(id)) return
    this.#decoders.set(id, this.#made(schema))
    this.#missing.delete(id)
  }

  async #load(id: number, againMs: readonly number[]): Promise<void> {
    const { registry, environment } = this.#options
    try {
      this.add(id, await resolveFrom(registry, await registry.schemaById(id)))
    } catch (error) {
      if (error instanceof SchemaNotFoundError && againMs.length > 0) {
        await sleep(environment, againMs[0], new AbortController().signal)
        return this.#load(id, againMs.slice(1))
      }
      if (!isFinal(error)) throw error
      const decoder = this.#never(`the schema ${id} that the value was written with: ${error.message}`, error)
      if (!mayPass(error)) return void this.#decoders.set(id, decoder)
      const nowMs = environment.clock.monotonicMs()
      this.#missing.set(id, { decoder, askedMs: nowMs, usedMs: nowMs })
    }
  }

  /**
   * What refuses values of a schema that was missing a moment ago, while it is asked for again. Nobody waits for that: many such values in one
   * commit would each begin it anew.
   */
  #stillMissing(id: number): DecodePayload | undefined {
    const missing = this.#missing.get(id)
    if (missing === undefined) return undefined
    const nowMs = this.#options.environment.clock.monotonicMs()
    if (nowMs - missing.usedMs > MISSING_FOR_MS) {
      this.#missing.delete(id)
      return undefined
    }
    missing.usedMs = nowMs
    if (nowMs - missing.askedMs >= ASK_EVERY_MS) {
      missing.askedMs = nowMs
      void this.#loadOnce(id, [])
    }
    return missing.decoder
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

/** Whether the registry has answered, if only for now. */
function isFinal(error: unknown): error is MillraceError {
  return (
    error instanceof SchemaNotFoundError ||
    error instanceof RegistryRefusedError ||
    error instanceof InvalidSchemaError ||
    error instanceof UsageError
  )
}

/** Whether the answer can be another one later: schemas are registered and rights given, while a schema that was given never changes. */
function mayPass(error: MillraceError): boolean {
  return error instanceof SchemaNotFoundError || error instanceof RegistryRefusedError
}
