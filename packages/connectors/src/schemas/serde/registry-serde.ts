import { type Environment, realEnvironment, UsageError } from '@millrace/log'
import type { Serde } from '@millrace/streams'
import type { SchemaRegistry } from '../client/schema-registry.ts'
import { SchemaNotFoundError } from '../errors.ts'
import type { RegisteredSchema, ResolvedSchema, SchemaReference, SchemaType } from '../schema.ts'
import { FRAME_BYTES, framedSchemaId, frameHeader } from '../wire-format.ts'
import { type DecodePayload, resolveFrom, WriterSchemas } from './writer-schemas.ts'

/** What serdes of a registry have in common. */
export interface RegistrySerdeOptions<S> {
  /** The embedded registry, or the client of a remote one. */
  readonly registry: SchemaRegistry
  /** By custom `<topic>-value` or `<topic>-key`. */
  readonly subject: string
  /**
   * The schema that the program writes with and reads as. Written `as const`, it gives the serde its type. Default: the subject's latest, as it is
   * when the serde is made.
   */
  readonly schema?: S
  readonly references?: readonly SchemaReference[]
  /** Whether a schema that the subject does not have is registered; if not, that is an error. Default true. */
  readonly register?: boolean
  /** Whether other spellings of the schema count as the same. Default false. */
  readonly normalize?: boolean
  /** The clock and timers to use, when a schema is not there yet. Default the real ones. */
  readonly environment?: Pick<Environment, 'clock' | 'timers'>
}

/**
 * A serde whose bytes name the schema they were written with, in Confluent's wire format. Serdes are synchronous and registries are not: all versions
 * of the subject are loaded when the serde is made; a value of a schema that came later is a SerdeNotReadyError, upon which streams wait for the
 * schema and go on from the last commit. Who can wait calls `prepare` before, and never sees one.
 */
export interface RegistrySerde<T> extends Serde<T> {
  readonly subject: string
  /** Of the schema that is written. */
  readonly schemaId: number
  /** Loads the schemas of values that are about to be decoded. @throws RegistryUnavailableError */
  prepare(values: Iterable<Buffer | null>): Promise<void>
  /** Loads the versions that the subject has got since. @throws RegistryUnavailableError */
  refresh(): Promise<void>
}

/** How one language writes and reads. */
export interface PayloadCodec {
  readonly encode: (prefix: Buffer, value: unknown) => Buffer
  /** What reads values of a writer's schema as this program's. */
  readonly decoderOf: (writer: ResolvedSchema) => DecodePayload
}

/** How a language comes to its codec. */
export interface RegistrySerdeLanguage {
  readonly type: SchemaType
  /** @throws InvalidSchemaError */
  readonly codecOf: (schema: ResolvedSchema) => PayloadCodec
}

/**
 * Registers or looks up the schema, loads the subject's versions, and makes the serde.
 * @throws what the registry throws; UsageError when the subject's latest schema is of another language.
 */
export async function openRegistrySerde<S, T>(
  options: RegistrySerdeOptions<S>,
  language: RegistrySerdeLanguage
): Promise<RegistrySerde<T>> {
  const { registry, subject, environment = realEnvironment() } = options
  const written = await writtenSchema(options, language.type)
  const name = `${language.type.toLowerCase()}(${subject})`
  const reader = await resolveFrom(registry, written)
  const codec = language.codecOf(reader)
  const decoderOf = (writer: ResolvedSchema) => codec.decoderOf(writer)
  const writers = new WriterSchemas({ serde: name, registry, decoderOf, environment })
  writers.add(written.id, reader)
  const refresh = async (): Promise<void> => {
    for (const version of await registry.versions(subject, { deleted: true })) {
      const { id, ...text } = await registry.version(subject, version, { deleted: true })
      writers.add(id, await resolveFrom(registry, text))
    }
  }
  await refresh()
  return serdeOf({ name, subject, schemaId: written.id, codec, writers, refresh })
}

interface SerdeParts {
  readonly name: string
  readonly subject: string
  readonly schemaId: number
  readonly codec: PayloadCodec
  readonly writers: WriterSchemas
  readonly refresh: () => Promise<void>
}

function serdeOf<T>({ name, subject, schemaId, codec, writers, refresh }: SerdeParts): RegistrySerde<T> {
  const header = frameHeader(schemaId)
  return Object.freeze({
    name,
    subject,
    schemaId,
    encode: (value: T) => codec.encode(header, value),
    decode(bytes: Buffer, start: number, end: number): T {
      const decoded = writers.decoder(framedSchemaId(bytes, start, end))(bytes, start + FRAME_BYTES, end)
      return decoded as T
    },
    async prepare(values: Iterable<Buffer | null>): Promise<void> {
      const ids = new Set<number>()
      for (const value of values) {
        if (value !== null && value.length >= FRAME_BYTES && value[0] === 0)
          ids.add(framedSchemaId(value, 0, value.length))
      }
      await Promise.all([...ids].map((id) => writers.load(id)))
    },
    refresh
  })
}

async function writtenSchema<S>(options: RegistrySerdeOptions<S>, type: SchemaType): Promise<RegisteredSchema> {
  const { registry, subject, schema, references = [], register = true, normalize = false } = options
  if (schema === undefined) {
    const latest = await registry.version(subject, 'latest')
    if (latest.schemaType === type) return latest
    throw new UsageError(
      `the latest schema of subject '${subject}' is ${latest.schemaType}, not ${type}: use that serde`
    )
  }
  const text = {
    schemaType: type,
    schema: typeof schema === 'string' && /^\s*[[{"]/.test(schema) ? schema : JSON.stringify(schema),
    references
  }
  if (register) return registry.register(subject, text, { normalize })
  try {
    return await registry.lookup(subject, text, { normalize })
  } catch (error) {
    if (!(error instanceof SchemaNotFoundError)) throw error
    const message = `subject '${subject}' has no version with the program's schema (${error.message}); register it, or let the serde do it`
    throw new SchemaNotFoundError(error.errorCode, message)
  }
}
