/** Names of Avro's primitive types. */
export const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const

/** Name of a primitive type. */
export type PrimitiveName = (typeof PRIMITIVES)[number]

/** Attributes that Avro itself does not know, `logicalType` among them, in the order they were written. */
export type Properties = Readonly<Record<string, unknown>>

/** A parsed schema: names are full, references are the types themselves, so a recursive schema is a cycle. */
export type AvroType = AvroPrimitive | AvroRecord | AvroEnum | AvroFixed | AvroArray | AvroMap | AvroUnion

/** A type that has a name, by which it may be referred to after its definition. */
export type AvroNamed = AvroRecord | AvroEnum | AvroFixed

/** A primitive. */
export interface AvroPrimitive {
  readonly kind: PrimitiveName
  readonly properties: Properties
}

interface Named {
  /** With its namespace: `com.acme.User`. */
  readonly name: string
  /** Other full names that the writer may have used. */
  readonly aliases: readonly string[]
  readonly doc: string | undefined
  readonly properties: Properties
}

/** A record, or an error, which is a record with another keyword. */
export interface AvroRecord extends Named {
  readonly kind: 'record'
  readonly isError: boolean
  readonly fields: readonly AvroField[]
}

/** A field of a record. */
export interface AvroField {
  readonly name: string
  readonly aliases: readonly string[]
  readonly doc: string | undefined
  readonly type: AvroType
  /** As JSON; undefined: there is none, which null is not. */
  readonly default: unknown
  readonly order: 'ascending' | 'descending' | 'ignore'
  readonly properties: Properties
}

/** One of several symbols. */
export interface AvroEnum extends Named {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
  /** What a reader takes for symbols it does not know. */
  readonly default: string | undefined
}

/** A fixed number of bytes. */
export interface AvroFixed extends Named {
  readonly kind: 'fixed'
  readonly sizeBytes: number
}

/** An array. */
export interface AvroArray {
  readonly kind: 'array'
  readonly items: AvroType
  readonly properties: Properties
}

/** A map; keys are text. */
export interface AvroMap {
  readonly kind: 'map'
  readonly values: AvroType
  readonly properties: Properties
}

/** One of several types. */
export interface AvroUnion {
  readonly kind: 'union'
  readonly branches: readonly AvroType[]
}

/** Whether the type has a name of its own. */
export function isNamed(type: AvroType): type is AvroNamed {
  return type.kind === 'record' || type.kind === 'enum' || type.kind === 'fixed'
}

/** What a union may hold only once: a named type's name, else the kind. */
export function branchName(type: AvroType): string {
  return isNamed(type) ? type.name : type.kind
}

/** The part of a full name before its last dot; empty: none. */
export function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')))
}

/** The part of a full name after its last dot. */
export function simpleNameOf(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1)
}
