import { InvariantError } from '@millrace/log'
import type { Incompatibility } from '../compatibility/incompatibility.ts'
import type { ParsedSchema } from '../compatibility/parsed-schema.ts'
import type { ResolvedSchema } from '../schema.ts'
import { avroIncompatibilities } from './avro-compatibility.ts'
import { canonicalAvro } from './canonical-avro.ts'
import { type ParsedAvro, parseAvro } from './parse-avro.ts'

/** An Avro schema of a registry. */
export class AvroSchema implements ParsedSchema {
  readonly canonical: string
  readonly #parsed: ParsedAvro

  /** @throws InvalidSchemaError */
  constructor({ text, resolved }: ResolvedSchema, options: { readonly checkDefaults: boolean }) {
    this.#parsed = parseAvro(text.schema, { references: resolved.map(({ schema }) => schema), ...options })
    this.canonical = canonicalAvro(this.#parsed.type, { known: this.#parsed.referenced.keys() })
  }

  normalized(): string {
    return canonicalAvro(this.#parsed.type, { known: this.#parsed.referenced.keys(), normalize: true })
  }

  incompatibilitiesWith(writer: ParsedSchema): readonly Incompatibility[] {
    if (!(writer instanceof AvroSchema))
      throw new InvariantError('an Avro schema is compared with one of another language')
    return avroIncompatibilities(this.#parsed.type, writer.#parsed.type)
  }
}
