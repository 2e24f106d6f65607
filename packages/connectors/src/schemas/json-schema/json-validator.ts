import { createRequire } from 'node:module'
import type { SchemaIssue } from '@millrace/streams'
import { Ajv, type ErrorObject, type Options } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { InvalidSchemaError } from '../errors.ts'
import type { JsonSchemaNode } from './json-view.ts'

/** What is wrong with a document; empty: nothing. */
export type ValidateJson = (document: unknown) => readonly SchemaIssue[]

/** Formats are said, not checked: registries do not, either. */
const options: Options = { strict: false, validateFormats: false, allErrors: true }

/**
 * Compiles a schema, by ajv.
 * @param documents what it may refer to, by name
 * @throws InvalidSchemaError when it is not one of its draft.
 */
export function compileValidator(schema: JsonSchemaNode, documents: ReadonlyMap<string, JsonSchemaNode>): ValidateJson {
  const draft = typeof schema === 'object' && typeof schema.$schema === 'string' ? schema.$schema : ''
  const ajv = ajvOf(draft)
  try {
    for (const [name, document] of documents) if (ajv.getSchema(name) === undefined) ajv.addSchema(document, name)
    const validate = ajv.compile(schema)
    return (document) => (validate(document) ? [] : (validate.errors ?? []).map(issueOf))
  } catch (cause) {
    throw new InvalidSchemaError({ problem: cause instanceof Error ? cause.message : String(cause) }, { cause })
  }
}

function ajvOf(draft: string): Ajv {
  if (/2020-12/.test(draft)) return new Ajv2020(options)
  if (/2019-09/.test(draft)) return new Ajv2019(options)
  if (/draft-0[34]/.test(draft)) {
    throw new InvalidSchemaError({
      path: '/$schema',
      problem: `${draft} is not supported: write draft 6, 7, 2019-09 or 2020-12`
    })
  }
  const ajv = new Ajv(options)
  if (/draft-06/.test(draft))
    ajv.addMetaSchema(createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-06.json'))
  return ajv
}

function issueOf({ instancePath, message }: ErrorObject): SchemaIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step.replaceAll('~1', '/').replaceAll('~0', '~')}`))
  return { path: `$${path.join('')}`, message: message ?? 'is not allowed' }
}
