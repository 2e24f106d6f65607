/**
 * The vocabulary in which messages are declared once and from which both directions are encoded and decoded
 * (`codec.ts`). A field names its type and the versions that carry it; `Infer` gives the TypeScript shape.
 */

/** A type of the Kafka protocol and the JavaScript value it stands for. */
export interface FieldType<T> {
  readonly kind: string
  /** Present only in the type system. */
  readonly sample?: T
}

/** Versions of a field: `'0+'`, `'3-5'`, `'12'`. */
export type Versions = string

/** One field of a struct. */
export interface Field<T = unknown> {
  readonly type: FieldType<T>
  readonly versions: Versions
  /** Versions in which null is legal. */
  readonly nullable?: Versions
  /** Tag number; a tagged field exists in flexible versions only. */
  readonly tag?: number
  /** What stands for the field in a version that lacks it. */
  readonly default?: T
}

/** An ordered set of fields. */
export interface Struct<F extends Record<string, Field> = Record<string, Field>> {
  readonly kind: 'struct'
  readonly fields: F
}

/** The object that a struct declares. All fields are present; one that a version lacks has its default. */
export type Infer<S> =
  S extends Struct<infer F> ? { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never } : never
