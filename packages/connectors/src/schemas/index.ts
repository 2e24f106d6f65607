// Avro: schemas read, written and compared; values
export { AvroCodec, type AvroDecode, type AvroLongs } from './avro/avro-codec.ts'
export { avroIncompatibilities } from './avro/avro-compatibility.ts'
export { AvroSchema } from './avro/avro-schema.ts'
export type {
  AvroArray,
  AvroEnum,
  AvroField,
  AvroFixed,
  AvroMap,
  AvroNamed,
  AvroPrimitive,
  AvroRecord,
  AvroType,
  AvroUnion,
  PrimitiveName,
  Properties
} from './avro/avro-type.ts'
export { canonicalAvro, type WriteAvroOptions } from './avro/canonical-avro.ts'
export { type ParseAvroOptions, type ParsedAvro, parseAvro } from './avro/parse-avro.ts'
export type { Incompatibility } from './compatibility/incompatibility.ts'
export { COMPATIBILITY_LEVELS, type CompatibilityLevel, incompatibilitiesAt } from './compatibility/level.ts'
// Compatibility
export type { ParsedSchema } from './compatibility/parsed-schema.ts'
// What they throw
export {
  IncompatibleSchemaError,
  InvalidSchemaError,
  RegistryErrorCode,
  RegistryFencedError,
  RegistryRefusedError,
  RegistryTopicError,
  RegistryUnavailableError,
  SchemaNotFoundError
} from './errors.ts'
// Schemas
export type {
  RegisteredSchema,
  ResolvedReference,
  ResolvedSchema,
  SchemaReference,
  SchemaText,
  SchemaType,
  VersionChoice
} from './schema.ts'
export { FRAME_BYTES, framedSchemaId, frameHeader } from './wire-format.ts'
