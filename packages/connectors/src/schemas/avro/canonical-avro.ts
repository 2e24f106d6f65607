import {
  type AvroField,
  type AvroNamed,
  type AvroType,
  isNamed,
  namespaceOf,
  type Properties,
  simpleNameOf
} from './avro-type.ts'

/** How a schema is written. */
export interface WriteAvroOptions {
  /** Named types that are written as their names, since a reference defines them. */
  readonly known?: Iterable<string>
  /**
   * Whether names are written in full and other attributes in the order of their names, so that more spellings of one schema are
   * one. Default false: as Java's `Schema.toString` writes it.
   */
  readonly normalize?: boolean
}

/**
 * A schema as the text that a registry compares and keeps: JSON without space, attributes in one order. Documentation, aliases, defaults and
 * other attributes stay, and so count, unlike in Avro's parsing canonical form.
 */
export function canonicalAvro(type: AvroType, { known = [], normalize = false }: WriteAvroOptions = {}): string {
  return JSON.stringify(new Writer(new Set(known), normalize).write(type, ''))
}

type Json = Record<string, unknown>

class Writer {
  readonly #written: Set<string>
  readonly #normalize: boolean

  constructor(written: Set<string>, normalize: boolean) {
    this.#written = written
    this.#normalize = normalize
  }

  write(type: AvroType, namespace: string): unknown {
    if (type.kind === 'union') return type.branches.map((branch) => this.write(branch, namespace))
    if (isNamed(type)) return this.#named(type, namespace)
    const properties = this.#properties(type.properties)
    if (type.kind === 'array') return { type: 'array', items: this.write(type.items, namespace), ...properties }
    if (type.kind === 'map') return { type: 'map', values: this.write(type.values, namespace), ...properties }
    return Object.keys(properties).length === 0 ? type.kind : { type: type.kind, ...properties }
  }

  #named(type: AvroNamed, namespace: string): unknown {
    if (this.#written.has(type.name)) return this.#nameIn(type.name, namespace)
    this.#written.add(type.name)
    const own = namespaceOf(type.name)
    const keyword = type.kind === 'record' && type.isError ? 'error' : type.kind
    const json: Json = { type: keyword, ...this.#name(type.name, own, namespace) }
    if (type.doc !== undefined) json.doc = type.doc
    if (type.kind === 'record') json.fields = type.fields.map((field) => this.#field(field, own))
    if (type.kind === 'enum') json.symbols = type.symbols
    if (type.kind === 'enum' && type.default !== undefined) json.default = type.default
    if (type.kind === 'fixed') json.size = type.sizeBytes
    Object.assign(json, this.#properties(type.properties))
    if (type.aliases.length > 0) json.aliases = type.aliases.map((alias) => this.#nameIn(alias, own))
    return json
  }

  #field(field: AvroField, namespace: string): Json {
    const json: Json = { name: field.name, type: this.write(field.type, namespace) }
    if (field.doc !== undefined) json.doc = field.doc
    if (field.default !== undefined) json.default = field.default
    if (field.order !== 'ascending') json.order = field.order
    if (field.aliases.length > 0) json.aliases = field.aliases
    return { ...json, ...this.#properties(field.properties) }
  }

  #name(fullName: string, own: string, around: string): Json {
    if (this.#normalize) return { name: fullName }
    return { name: simpleNameOf(fullName), ...(own !== around && { namespace: own }) }
  }

  #nameIn(fullName: string, namespace: string): string {
    return !this.#normalize && namespaceOf(fullName) === namespace ? simpleNameOf(fullName) : fullName
  }

  #properties(properties: Properties): Json {
    const entries = Object.entries(properties)
    return Object.fromEntries(this.#normalize ? entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) : entries)
  }
}
