/** The languages of schemas that Millrace knows. */
export type SchemaType = 'AVRO' | 'JSON'

/** Where another schema's types come from: `name` is what the schema calls it (a full name in Avro, a URI in JSON Schema). */
export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema as it is given to a registry and comes out of it. */
export interface SchemaText {
  readonly schemaType: SchemaType
  /** The schema itself: JSON. */
  readonly schema: string
  readonly references: readonly SchemaReference[]
}

/** A schema and what it refers to, as text, with what they need before them. */
export interface ResolvedSchema {
  readonly text: SchemaText
  readonly resolved: readonly ResolvedReference[]
}

/** The text of a reference. */
export interface ResolvedReference {
  readonly name: string
  readonly schema: string
}

/** A version of a subject. */
export interface RegisteredSchema extends SchemaText {
  readonly subject: string
  /** Of the schema, wherever it is registered: what the wire format names. */
  readonly id: number
  /** Counts from 1 within the subject. */
  readonly version: number
}

/** A version, or the latest one that is not deleted. */
export type VersionChoice = number | 'latest'
