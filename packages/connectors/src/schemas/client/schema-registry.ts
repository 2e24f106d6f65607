import type { RegisteredSchema, SchemaText, VersionChoice } from '../schema.ts'

/** What serdes need of a registry: the embedded one and the client of a remote one both give it. */
export interface SchemaRegistry {
  /** Registers a schema under a subject unless it is there. @throws IncompatibleSchemaError, InvalidSchemaError, RegistryRefusedError */
  register(subject: string, schema: SchemaText, options?: { readonly normalize?: boolean }): Promise<RegisteredSchema>
  /** The version of a subject that holds a schema. @throws SchemaNotFoundError */
  lookup(subject: string, schema: SchemaText, options?: { readonly normalize?: boolean }): Promise<RegisteredSchema>
  /** The schema of an id. @throws SchemaNotFoundError */
  schemaById(id: number): Promise<SchemaText>
  /** One version of a subject. @throws SchemaNotFoundError */
  version(subject: string, version: VersionChoice, options?: { readonly deleted?: boolean }): Promise<RegisteredSchema>
  /** Numbers of a subject's versions. @throws SchemaNotFoundError when it has none. */
  versions(subject: string, options?: { readonly deleted?: boolean }): Promise<readonly number[]>
}
