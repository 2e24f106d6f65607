/**
 * A document of a JSON schema that is known to the compiler: write the schema `as const`. It follows `type`, `properties`, `required`, `items`,
 * `enum`, `const`, `anyOf` and `oneOf`; what it does not follow may be anything.
 */
export type JsonValue<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly anyOf: readonly (infer Choice)[] } | { readonly oneOf: readonly (infer Choice)[] }
      ? JsonValue<Choice>
      : S extends { readonly type: readonly (infer T)[] }
        ? Typed<T, S>
        : S extends { readonly type: infer T }
          ? string extends T
            ? unknown
            : Typed<T, S>
          : unknown

type Typed<T, S> = T extends 'string'
  ? string
  : T extends 'number' | 'integer'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'null'
        ? null
        : T extends 'array'
          ? S extends { readonly items: infer I }
            ? JsonValue<I>[]
            : unknown[]
          : T extends 'object'
            ? S extends { readonly properties: infer P }
              ? Properties<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
              : Record<string, unknown>
            : unknown

type Properties<P, Required> = { [K in keyof P as K extends Required ? K : never]: JsonValue<P[K]> } & {
  [K in keyof P as K extends Required ? never : K]?: JsonValue<P[K]>
}
