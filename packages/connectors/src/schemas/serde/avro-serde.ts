import type { AvroLongs } from '@millrace/streams'
import { AvroCodec } from '../avro/avro-codec.ts'
import type { AvroValue } from '../avro/avro-value.ts'
import type { ResolvedSchema } from '../schema.ts'
import { openRegistrySerde, type RegistrySerde, type RegistrySerdeOptions } from './registry-serde.ts'

/** Options of {@link avroSerde}. */
export interface AvroSerdeOptions<S> extends RegistrySerdeOptions<S> {
  /** Longs as numbers, exact to 2^52 and an error beyond, or as bigints. Default number. */
  readonly longs?: AvroLongs
}

/**
 * Values in Avro, each with the id of its schema. What others wrote is read as this program's schema, by Avro's rules: fields that it does not know
 * are left out, those that it alone knows get their defaults.
 *
 * @typeParam T Default: what the schema says, when it is written `as const`.
 * @example
 * const clicks = await avroSerde({ registry, subject: 'clicks-value', schema: {
 *   type: 'record', name: 'Click', fields: [{ name: 'adId', type: 'string' }]
 * } as const })
 * @throws IncompatibleSchemaError when the subject does not accept the schema; InvalidSchemaError; RegistryUnavailableError.
 */
export function avroSerde<const S, T = AvroValue<S>>(options: AvroSerdeOptions<S>): Promise<RegistrySerde<T>> {
  const codecOf = (schema: ResolvedSchema) => new AvroCodec(schema, options.longs)
  return openRegistrySerde<S, T>(options, {
    type: 'AVRO',
    codecOf(schema) {
      const reader = codecOf(schema)
      return {
        encode: (prefix, value) => reader.encode(prefix, value),
        decoderOf: (writer) => reader.decoderFor(codecOf(writer))
      }
    }
  })
}
