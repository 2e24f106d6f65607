// Avro: schemas read, written and compared; values

// A client of a registry
export { fetchHttp } from '../http-port/fetch-http.ts'
export type { HttpAnswer, HttpPort, HttpRequest } from '../http-port/http-port.ts'
export { AvroCodec, type AvroDecode } from './avro/avro-codec.ts'
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
export type { AvroValue } from './avro/avro-value.ts'
export { canonicalAvro, type WriteAvroOptions } from './avro/canonical-avro.ts'
export { type ParseAvroOptions, type ParsedAvro, parseAvro } from './avro/parse-avro.ts'
export { type RegistryClient, type RegistryClientOptions, registryClient } from './client/registry-client.ts'
export type { SchemaRegistry } from './client/schema-registry.ts'
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
export { JsonSchema } from './json-schema/json-schema.ts'
export type { ValidateJson } from './json-schema/json-validator.ts'
export type { JsonValue } from './json-schema/json-value.ts'
// The embedded registry
export {
  type ImportedAs,
  openRegistry,
  Registry,
  type RegistryOptions,
  type SchemaOptions
} from './registry/registry.ts'
export { REGISTRY_MODES, type RegistryMode } from './registry/registry-mode.ts'
export type { SubjectConfig } from './registry/registry-record.ts'
export { type ServedRegistry, type ServeRegistryOptions, serveRegistry } from './registry/serve-registry.ts'
export type { RegistrySettings, SettingQuery } from './registry/settings.ts'
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
// Serdes
export { type AvroSerdeOptions, avroSerde } from './serde/avro-serde.ts'
export { type JsonSchemaSerdeOptions, jsonSchemaSerde } from './serde/json-schema-serde.ts'
export type { RegistrySerde, RegistrySerdeOptions } from './serde/registry-serde.ts'
export { FRAME_BYTES, framedSchemaId, frameHeader } from './wire-format.ts'
