import { InvariantError } from '@millrace/log'
import type { Incompatibility } from '../compatibility/incompatibility.ts'
import type { ParsedSchema } from '../compatibility/parsed-schema.ts'
import { InvalidSchemaError } from '../errors.ts'
import type { ResolvedSchema } from '../schema.ts'
import { jsonIncompatibilities } from './json-compatibility.ts'
import { compileValidator, type ValidateJson } from './json-validator.ts'
import { type FollowRef, isNode, type JsonSchemaNode } from './json-view.ts'

/** A JSON schema of a registry: draft 6, 7, 2019-09 or 2020-12; 7 where `$schema` does not say. */
export class JsonSchema implements ParsedSchema {
  readonly canonical: string
  /** Judges documents. */
  readonly validate: ValidateJson
  readonly #root: JsonSchemaNode
  readonly #documents: ReadonlyMap<string, JsonSchemaNode>

  /** @throws InvalidSchemaError */
  constructor({ text, resolved }: ResolvedSchema) {
    this.#root = nodeOf(text.schema)
    this.#documents = new Map(resolved.map(({ name, schema }) => [name, nodeOf(schema)]))
    this.canonical = JSON.stringify(this.#root)
    this.validate = compileValidator(this.#root, this.#documents)
  }

  normalized(): string {
    return JSON.stringify(sorted(this.#root))
  }

  incompatibilitiesWith(writer: ParsedSchema): readonly Incompatibility[] {
    if (!(writer instanceof JsonSchema))
      throw new InvariantError('a JSON schema is compared with one of another language')
    return jsonIncompatibilities(
      { older: writer.#root, newer: this.#root },
      { older: writer.#follower(), newer: this.#follower() }
    )
  }

  /** Follows references within the schema, and to the documents that the registry resolved. */
  #follower(): FollowRef {
    const homes = new Map<JsonSchemaNode, JsonSchemaNode>()
    return (ref, from) => {
      const [document, pointer = ''] = ref.split('#')
      const home = document === '' ? (homes.get(from) ?? this.#home(from)) : this.#document(document)
      const found = home === undefined ? undefined : pointed(home, pointer)
      if (found !== undefined && home !== undefined) homes.set(found, home)
      return found
    }
  }

  #home(from: JsonSchemaNode): JsonSchemaNode {
    return [...this.#documents.values()].find((document) => contains(document, from)) ?? this.#root
  }

  #document(name: string): JsonSchemaNode | undefined {
    if (typeof this.#root === 'object' && this.#root.$id === name) return this.#root
    const byName = this.#documents.get(name)
    if (byName !== undefined) return byName
    return [...this.#documents.values()].find((node) => typeof node === 'object' && node.$id === name)
  }
}

function nodeOf(text: string): JsonSchemaNode {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new InvalidSchemaError(
      { problem: `it is not JSON: ${cause instanceof Error ? cause.message : cause}` },
      { cause }
    )
  }
  if (isNode(parsed)) return parsed
  throw new InvalidSchemaError({ problem: 'a JSON schema is true, false or an object' })
}

function pointed(root: JsonSchemaNode, pointer: string): JsonSchemaNode | undefined {
  if (pointer !== '' && !pointer.startsWith('/')) return anchored(root, pointer)
  let at: unknown = root
  for (const step of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    at = Reflect.get(at, key)
  }
  return isNode(at) ? at : undefined
}

function anchored(root: unknown, anchor: string): JsonSchemaNode | undefined {
  if (typeof root !== 'object' || root === null) return undefined
  if (isNode(root) && ('$anchor' in root || '$id' in root)) {
    if (Reflect.get(root, '$anchor') === anchor || Reflect.get(root, '$id') === `#${anchor}`) return root
  }
  for (const value of Object.values(root)) {
    const found = anchored(value, anchor)
    if (found !== undefined) return found
  }
  return undefined
}

function contains(tree: unknown, node: unknown): boolean {
  if (tree === node) return true
  return typeof tree === 'object' && tree !== null && Object.values(tree).some((value) => contains(value, node))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
