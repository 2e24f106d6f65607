/** The schema of a literal (`as const`), as far as types need it. */
type Node = string | readonly unknown[] | { readonly type: unknown }

/** A value of an Avro schema that is known to the compiler: write the schema `as const`. Of a schema that is not, anything. */
export type AvroValue<S> = Value<S, S>

interface Primitives {
  null: null
  boolean: boolean
  int: number
  long: number
  float: number
  double: number
  bytes: Buffer
  string: string
}

/** `Root` is where names are looked up. */
type Value<S, Root> = S extends keyof Primitives
  ? Primitives[S]
  : S extends string
    ? string extends S
      ? unknown
      : Value<Definition<Root, S>, Root>
    : S extends readonly unknown[]
      ? number extends S['length']
        ? unknown
        : Union<S, Root>
      : S extends { readonly type: infer T }
        ? Complex<S, T, Root>
        : unknown

type Complex<S, T, Root> = T extends 'record' | 'error'
  ? S extends { readonly fields: infer F extends readonly unknown[] }
    ? Fields<F, Root>
    : unknown
  : T extends 'enum'
    ? S extends { readonly symbols: readonly (infer Symbol)[] }
      ? Symbol
      : unknown
    : T extends 'fixed'
      ? Buffer
      : T extends 'array'
        ? S extends { readonly items: infer I }
          ? Value<I, Root>[]
          : unknown
        : T extends 'map'
          ? S extends { readonly values: infer V }
            ? Record<string, Value<V, Root>>
            : unknown
          : Value<T, Root>

type Fields<F extends readonly unknown[], Root> = {
  [Field in F[number] as Field extends { readonly name: infer N extends string } ? N : never]: Field extends {
    readonly type: infer T
  }
    ? Value<T, Root>
    : unknown
}

/** As avsc has it: branches that JavaScript cannot tell apart are wrapped in their names, all of the union's. */
type Union<S extends readonly unknown[], Root> =
  IsAmbiguous<S, Root> extends true
    ? { [I in keyof S]: S[I] extends 'null' ? null : { [N in BranchName<S[I]>]: Value<S[I], Root> } }[number]
    : { [I in keyof S]: Value<S[I], Root> }[number]

type IsAmbiguous<S extends readonly unknown[], Root, Seen = never> = S extends readonly [infer Head, ...infer Rest]
  ? [Bucket<Head, Root>] extends [Seen]
    ? true
    : IsAmbiguous<Rest, Root, Seen | Bucket<Head, Root>>
  : false

type Bucket<S, Root> = S extends 'int' | 'long' | 'float' | 'double'
  ? 'number'
  : S extends 'bytes'
    ? 'buffer'
    : S extends keyof Primitives
      ? S
      : S extends string
        ? Bucket<Definition<Root, S>, Root>
        : S extends { readonly type: infer T }
          ? T extends 'enum'
            ? 'string'
            : T extends 'fixed'
              ? 'buffer'
              : T extends 'array'
                ? 'array'
                : T extends 'record' | 'error' | 'map'
                  ? 'object'
                  : Bucket<T, Root>
          : 'object'

/** In full at run time; where the schema gives no namespace there, it may be that of the definition around. */
type BranchName<S> = S extends keyof Primitives
  ? S
  : S extends string
    ? FullName<S>
    : S extends { readonly name: infer N extends string; readonly namespace: infer Space extends string }
      ? `${Space}.${N}`
      : S extends { readonly name: infer N extends string }
        ? FullName<N>
        : S extends { readonly type: infer T extends string }
          ? T
          : string

type FullName<Name extends string> = Name extends `${string}.${string}` ? Name : Name | `${string}.${Name}`

/** What a name stands for in a schema; unknown: it is defined elsewhere. */
type Definition<Root, Name extends string> = [Extract<Definitions<Root>, Named<Name>>] extends [never]
  ? unknown
  : Extract<Definitions<Root>, Named<Name>>

/** By its last part: the namespace may stand in the name, beside it, or around it. */
type Named<Name extends string> = { readonly name: Name } | { readonly name: SimpleName<Name> }

type SimpleName<Name extends string> = Name extends `${string}.${infer Rest}` ? SimpleName<Rest> : Name

/** All named types in a schema. */
type Definitions<S> = S extends readonly unknown[]
  ? Definitions<S[number]>
  : S extends { readonly fields: readonly (infer F)[] }
    ? S | (F extends { readonly type: infer T } ? Definitions<T> : never)
    : S extends { readonly name: string }
      ? S
      : S extends { readonly items: infer I }
        ? Definitions<I>
        : S extends { readonly values: infer V }
          ? Definitions<V>
          : S extends { readonly type: infer T extends Node }
            ? T extends string
              ? never
              : Definitions<T>
            : never
