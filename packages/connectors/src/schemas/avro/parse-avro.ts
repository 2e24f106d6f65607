import { InvalidSchemaError } from '../errors.ts'
import {
  type AvroEnum,
  type AvroField,
  type AvroNamed,
  type AvroRecord,
  type AvroType,
  branchName,
  namespaceOf,
  PRIMITIVES,
  type PrimitiveName,
  type Properties
} from './avro-type.ts'
import { defaultProblem } from './default-value.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const RESERVED = ['type', 'name', 'namespace', 'doc', 'aliases', 'fields', 'items', 'values', 'size', 'symbols']
const ENUM_RESERVED = [...RESERVED, 'default']
const FIELD_RESERVED = ['name', 'type', 'doc', 'default', 'order', 'aliases']

/** How {@link parseAvro} is to read. */
export interface ParseAvroOptions {
  /** Schemas, as JSON text, whose named types this one may use; in the order in which they need each other. */
  readonly references?: readonly string[]
  /** Whether defaults must be of their fields' types, as they must in new schemas. Default true. */
  readonly checkDefaults?: boolean
}

/** A schema, and the named types that it took from references. */
export interface ParsedAvro {
  readonly type: AvroType
  readonly referenced: ReadonlyMap<string, AvroNamed>
}

/**
 * Reads a schema by the rules of the Avro specification 1.12 as Java's parser applies them.
 * @throws InvalidSchemaError with the path.
 */
export function parseAvro(text: string, { references = [], checkDefaults = true }: ParseAvroOptions = {}): ParsedAvro {
  const referenced = new Map<string, AvroNamed>()
  for (const reference of references) new Parser(referenced, false).parse(jsonOf(reference), '', '')
  const names = new Map(referenced)
  return { type: new Parser(names, checkDefaults).parse(jsonOf(text), '', ''), referenced }
}

/** The JSON of a schema's text; a bare name (`string`, as some clients send it) is taken for itself. @throws InvalidSchemaError */
function jsonOf(text: string): unknown {
  const trimmed = text.trim()
  if (isPrimitive(trimmed)) return trimmed
  try {
    return JSON.parse(trimmed)
  } catch (cause) {
    throw new InvalidSchemaError(
      { problem: `it is not JSON: ${cause instanceof Error ? cause.message : cause}` },
      { cause }
    )
  }
}

type Json = Readonly<Record<string, unknown>>

class Parser {
  readonly #names: Map<string, AvroNamed>
  readonly #checkDefaults: boolean

  constructor(names: Map<string, AvroNamed>, checkDefaults: boolean) {
    this.#names = names
    this.#checkDefaults = checkDefaults
  }

  /** @param namespace that of the definition around */
  parse(json: unknown, namespace: string, path: string): AvroType {
    if (typeof json === 'string') return this.#reference(json, namespace, path)
    if (Array.isArray(json)) return this.#union(json, namespace, path)
    if (!isObject(json)) throw fail(path, `a type is a name, an object or a list, not ${JSON.stringify(json)}`)
    const { type } = json
    if (typeof type !== 'string') throw fail(path, "it has no 'type' that is a name")
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, path)
      case 'enum':
        return this.#enum(json, namespace, path)
      case 'fixed': {
        const { size } = json
        if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
          throw fail(`${path}/size`, `a fixed's size is a whole number, not ${JSON.stringify(size)}`)
        }
        return this.#define({ kind: 'fixed', ...named(json, namespace, path, RESERVED), sizeBytes: size }, path)
      }
      case 'array': {
        const items = this.parse(required(json, 'items', path), namespace, `${path}/items`)
        return { kind: 'array', items, properties: without(json, RESERVED) }
      }
      case 'map': {
        const values = this.parse(required(json, 'values', path), namespace, `${path}/values`)
        return { kind: 'map', values, properties: without(json, RESERVED) }
      }
      default:
        if (isPrimitive(type)) return { kind: type, properties: without(json, RESERVED) }
        return this.#reference(type, namespace, path)
    }
  }

  #reference(name: string, namespace: string, path: string): AvroType {
    if (isPrimitive(name)) return { kind: name, properties: {} }
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
    const found = this.#names.get(full) ?? this.#names.get(name)
    if (found === undefined) throw fail(path, `'${full}' is not defined before it is used`)
    return found
  }

  #union(json: readonly unknown[], namespace: string, path: string): AvroType {
    const branches = json.map((branch, index) => this.parse(branch, namespace, `${path}/${index}`))
    const seen = new Set<string>()
    for (const [index, branch] of branches.entries()) {
      if (branch.kind === 'union') throw fail(`${path}/${index}`, 'a union may not hold a union')
      const name = branchName(branch)
      if (seen.has(name)) throw fail(`${path}/${index}`, `the union holds ${name} twice`)
      seen.add(name)
    }
    return { kind: 'union', branches }
  }

  #record(json: Json, namespace: string, path: string): AvroRecord {
    const list = required(json, 'fields', path)
    if (!Array.isArray(list)) throw fail(`${path}/fields`, 'the fields of a record are a list')
    const fields: AvroField[] = []
    const head = named(json, namespace, path, RESERVED)
    const record: AvroRecord = { kind: 'record', ...head, isError: json.type === 'error', fields }
    this.#define(record, path)
    const names = new Set<string>()
    for (const [index, field] of list.entries()) {
      const parsed = this.#field(field, namespaceOf(record.name), `${path}/fields/${index}`)
      if (names.has(parsed.name)) throw fail(`${path}/fields/${index}`, `the record has two fields '${parsed.name}'`)
      names.add(parsed.name)
      fields.push(parsed)
    }
    return record
  }

  #field(json: unknown, namespace: string, path: string): AvroField {
    if (!isObject(json)) throw fail(path, 'a field is an object')
    const name = simpleName(required(json, 'name', path), path)
    const type = this.parse(required(json, 'type', path), namespace, `${path}/type`)
    const order = json.order ?? 'ascending'
    if (order !== 'ascending' && order !== 'descending' && order !== 'ignore') {
      throw fail(`${path}/order`, `a field is ordered ascending, descending or ignore, not ${JSON.stringify(order)}`)
    }
    if (this.#checkDefaults && json.default !== undefined) {
      const problem = defaultProblem(type, json.default)
      if (problem !== undefined) throw fail(`${path}/default`, problem)
    }
    const aliases = textList(json.aliases, `${path}/aliases`)
    const properties = without(json, FIELD_RESERVED)
    return { name, aliases, doc: textOf(json.doc), type, default: json.default, order, properties }
  }

  #enum(json: Json, namespace: string, path: string): AvroEnum {
    const symbols = textList(required(json, 'symbols', path), `${path}/symbols`)
    for (const [index, symbol] of symbols.entries()) {
      simpleName(symbol, `${path}/symbols/${index}`)
      if (symbols.indexOf(symbol) < index) throw fail(`${path}/symbols/${index}`, `the symbol ${symbol} comes twice`)
    }
    const byDefault = textOf(json.default)
    if (byDefault !== undefined && !symbols.includes(byDefault)) {
      throw fail(`${path}/default`, `the default ${byDefault} is none of the symbols`)
    }
    const head = named(json, namespace, path, ENUM_RESERVED)
    return this.#define({ kind: 'enum', ...head, symbols, default: byDefault }, path)
  }

  #define<T extends AvroNamed>(type: T, path: string): T {
    if (this.#names.has(type.name)) throw fail(path, `'${type.name}' is defined twice`)
    this.#names.set(type.name, type)
    return type
  }
}

/** What all named types have, read from their JSON. */
function named(...[json, around, path, reserved]: [Json, string, string, readonly string[]]) {
  const name = fullName(required(json, 'name', path), json.namespace, { around, path })
  const namespace = namespaceOf(name)
  const aliases = textList(json.aliases, `${path}/aliases`)
  return {
    name,
    aliases: aliases.map((alias) => (alias.includes('.') || namespace === '' ? alias : `${namespace}.${alias}`)),
    doc: textOf(json.doc),
    properties: without(json, reserved)
  }
}

function fullName(
  name: unknown,
  own: unknown,
  { around, path }: { readonly around: string; readonly path: string }
): string {
  if (typeof name !== 'string') throw fail(`${path}/name`, `a name is text, not ${JSON.stringify(name)}`)
  const namespace = typeof own === 'string' ? own : around
  const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
  for (const part of full.split('.')) simpleName(part, `${path}/name`)
  if (isPrimitive(full)) throw fail(`${path}/name`, `'${full}' is a primitive type's name`)
  return full
}

function simpleName(name: unknown, path: string): string {
  if (typeof name === 'string' && NAME.test(name)) return name
  throw fail(path, `${JSON.stringify(name)} is no name: letters, digits and underscores, not beginning with a digit`)
}

function required(json: Json, attribute: string, path: string): unknown {
  if (json[attribute] === undefined) throw fail(path, `it has no '${attribute}'`)
  return json[attribute]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function textList(value: unknown, path: string): readonly string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw fail(path, 'it is no list of texts')
}

function without(json: Json, reserved: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(json).filter(([key]) => !reserved.includes(key)))
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPrimitive(name: string): name is PrimitiveName {
  return PRIMITIVES.some((primitive) => primitive === name)
}

function fail(path: string, problem: string): InvalidSchemaError {
  return new InvalidSchemaError({ path, problem })
}
