/**
 * The vocabulary in which messages are declared once and from which both directions are encoded and decoded
 * (`codec.ts`). A field names its type and the versions that carry it; `Infer` gives the TypeScript shape. Names, versions and
 * defaults are those of Kafka's message definitions.
 */

/** Versions of a field: `'0+'`, `'3-5'`, `'12'`. */
export type Versions = string

/** Types without parts. Integers are big endian; `int64` holds values within 2^53; `uuid` is 16 bytes. */
export type ScalarKind =
  | 'boolean'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint16'
  | 'uint32'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

/** A type of the Kafka protocol. */
export type FieldType = { readonly kind: ScalarKind } | { readonly kind: 'array'; readonly element: FieldType } | Struct

/** One field of a struct; `T` is the JavaScript value it stands for. */
export interface Field<T = unknown> {
  readonly type: FieldType
  readonly versions: Versions
  /** Versions in which null is legal. */
  readonly nullable?: Versions
  /** Tag number; a tagged field exists in flexible versions only. */
  readonly tag?: number
  /** What stands for the field in a version that lacks it, and in `withDefaults`; the type's zero when absent. */
  readonly default?: T
  /** Present only in the type system. */
  readonly sample?: T
}

/** An ordered set of fields. */
export interface Struct<F extends Record<string, Field> = Record<string, Field>> {
  readonly kind: 'struct'
  readonly fields: F
}

/** The object that a struct declares. All fields are present; one that a version lacks has its default. */
export type Infer<S> =
  S extends Struct<infer F> ? { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never } : never

/** What a caller may leave to `withDefaults`: every field, however deep. */
export type PartialOf<T> = T extends Buffer | string | number | boolean | null
  ? T
  : T extends readonly (infer E)[]
    ? readonly PartialOf<E>[]
    : { readonly [K in keyof T]?: PartialOf<T[K]> }

/** Options of a field. */
export interface FieldOptions<T> {
  /** Versions in which null is legal; none when absent. */
  readonly nullable?: Versions
  /** Tag number of a field that is carried among the tagged fields. */
  readonly tag?: number
  /** Default value; the type's zero (0, '', an empty array, an object of defaults) when absent. */
  readonly default?: T
}

/** Options of a field that can be null. */
export interface NullableFieldOptions<T> extends FieldOptions<T | null> {
  readonly nullable: Versions
}

/** The uuid of sixteen zero bytes, which stands for "none". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Makes fields of one scalar type: `int32('0+')`, `string('3+', { nullable: '3+', default: null })`. */
export interface ScalarField<T> {
  (versions?: Versions): Field<T>
  (versions: Versions, options: NullableFieldOptions<T>): Field<T | null>
  (versions: Versions, options: FieldOptions<T>): Field<T>
}

function scalar<T>(kind: ScalarKind): ScalarField<T> {
  const type = { kind } as const
  return (versions: Versions = '0+', options?: FieldOptions<T | null>): Field<T> =>
    ({ type, versions, ...options }) as Field<T>
}

/** One byte, 0 or 1. */
export const boolean = scalar<boolean>('boolean')
/** Signed 8-bit integer. */
export const int8 = scalar<number>('int8')
/** Signed 16-bit integer. */
export const int16 = scalar<number>('int16')
/** Signed 32-bit integer. */
export const int32 = scalar<number>('int32')
/** Signed 64-bit integer within 2^53; a peer's value beyond that is a `DecodeError`. */
export const int64 = scalar<number>('int64')
/** Unsigned 16-bit integer. */
export const uint16 = scalar<number>('uint16')
/** Unsigned 32-bit integer. */
export const uint32 = scalar<number>('uint32')
/** IEEE 754 double. */
export const float64 = scalar<number>('float64')
/** 16 raw bytes; in JavaScript the 22 characters of base64url that Kafka prints. `ZERO_UUID` means none. */
export const uuid = scalar<string>('uuid')
/** UTF-8 text. */
export const string = scalar<string>('string')
/** Raw bytes. Decoded ones are a view of the message. */
export const bytes = scalar<Buffer>('bytes')
/** Record batches, each buffer one or more whole ones. They are written one after the other; decoded they are one chunk. */
export const records = scalar<readonly Buffer[]>('records')

/** What an array holds: a struct, or the type of a field made without versions, as in `array('0+', int32())`. */
export type Element<T = unknown> = Field<T> | Struct

type ElementValue<E> = E extends Struct ? Infer<E> : E extends Field<infer T> ? T : never

/** An array of scalars or structs. */
export function array<E extends Element>(
  versions: Versions,
  element: E,
  options: NullableFieldOptions<readonly ElementValue<E>[]>
): Field<readonly ElementValue<E>[] | null>
export function array<E extends Element>(
  versions: Versions,
  element: E,
  options?: FieldOptions<readonly ElementValue<E>[]>
): Field<readonly ElementValue<E>[]>
export function array(versions: Versions, element: Element, options?: FieldOptions<unknown>): Field {
  const type: FieldType = { kind: 'array', element: 'fields' in element ? element : element.type }
  return { type, versions, ...options }
}

/** An ordered set of fields: the body of a message, or what an array or a struct field holds. */
export function struct<F extends Record<string, Field>>(fields: F): Struct<F> {
  return { kind: 'struct', fields }
}

/** A field that holds one struct. */
export function structField<F extends Record<string, Field>>(
  versions: Versions,
  type: Struct<F>,
  options?: { readonly tag?: number }
): Field<Infer<Struct<F>>> {
  return { type, versions, ...options }
}

/** A field that holds one struct or null (marked by a leading byte, -1 for null). Its default is null. */
export function nullableStruct<F extends Record<string, Field>>(
  versions: Versions,
  type: Struct<F>,
  options?: { readonly nullable?: Versions; readonly tag?: number }
): Field<Infer<Struct<F>> | null> {
  return { type, versions, nullable: options?.nullable ?? versions, default: null, ...options }
}
