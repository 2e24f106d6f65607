import { AvroSchema } from '../avro/avro-schema.ts'
import type { ParsedSchema } from '../compatibility/parsed-schema.ts'
import { InvalidSchemaError } from '../errors.ts'
import { JsonSchema } from '../json-schema/json-schema.ts'
import type { ResolvedReference, ResolvedSchema, SchemaReference, SchemaText } from '../schema.ts'

/** Finds what a reference names; undefined: there is none. */
export type FindReference = (reference: SchemaReference) => SchemaText | undefined

/** Reads a schema in its language. @throws InvalidSchemaError */
export function parseSchema(schema: ResolvedSchema, { isNew }: { readonly isNew: boolean }): ParsedSchema {
  return schema.text.schemaType === 'AVRO' ? new AvroSchema(schema, { checkDefaults: isNew }) : new JsonSchema(schema)
}

/**
 * All that a schema refers to, and what that refers to, each once and before what needs it.
 * @throws InvalidSchemaError for a reference that leads nowhere.
 */
export function resolveSchema(text: SchemaText, find: FindReference): ResolvedSchema {
  const resolved = new Map<string, ResolvedReference>()
  collect(text, find, { resolved, seen: new Set() })
  return { text, resolved: [...resolved.values()] }
}

function collect(
  { references }: SchemaText,
  find: FindReference,
  found: { readonly resolved: Map<string, ResolvedReference>; readonly seen: Set<string> }
): void {
  for (const reference of references) {
    const { name, subject, version } = reference
    const key = `${version}/${subject}`
    if (found.seen.has(key)) continue
    found.seen.add(key)
    const text = find(reference)
    if (text === undefined) {
      throw new InvalidSchemaError({
        problem: `the reference '${name}' to version ${version} of subject '${subject}' leads nowhere`
      })
    }
    collect(text, find, found)
    if (!found.resolved.has(name)) found.resolved.set(name, { name, schema: text.schema })
  }
}
