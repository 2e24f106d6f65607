import { SchemaError, SerdeError } from '@millrace/streams'
import { JsonSchema } from '../json-schema/json-schema.ts'
import type { JsonValue } from '../json-schema/json-value.ts'
import { openRegistrySerde, type RegistrySerde, type RegistrySerdeOptions } from './registry-serde.ts'

/** Options of {@link jsonSchemaSerde}. */
export interface JsonSchemaSerdeOptions<S> extends RegistrySerdeOptions<S> {
  /** When documents are held against the program's schema. Default `always`. */
  readonly validate?: 'always' | 'reading' | 'writing' | 'never'
}

/**
 * Values in JSON, each with the id of its JSON schema. Documents are held against the program's schema, whatever they were written with; one that does not
 * fit is a SchemaError, naming the path.
 *
 * @typeParam T Default: what the schema says, when it is written `as const`.
 * @throws IncompatibleSchemaError when the subject does not accept the schema; InvalidSchemaError; RegistryUnavailableError.
 */
export function jsonSchemaSerde<const S, T = JsonValue<S>>(
  options: JsonSchemaSerdeOptions<S>
): Promise<RegistrySerde<T>> {
  const { subject, validate = 'always' } = options
  const serde = `json(${subject})`
  return openRegistrySerde<S, T>(options, {
    type: 'JSON',
    codecOf(schema) {
      const reader = new JsonSchema(schema)
      const check = (value: unknown): void => {
        const issues = reader.validate(value)
        if (issues.length > 0) throw new SchemaError(serde, issues)
      }
      return {
        encode(prefix, value) {
          const text: string | undefined = JSON.stringify(value)
          if (text === undefined) {
            throw new SerdeError({ serde, operation: 'encode', problem: `JSON has no form for a ${typeof value}` })
          }
          // What is written is checked, not what is given: `toJSON` and undefined properties change it.
          if (validate === 'always' || validate === 'writing') check(JSON.parse(text))
          return Buffer.concat([prefix, Buffer.from(text, 'utf8')])
        },
        decoderOf: () => (bytes, start, end) => {
          const value = parsed(bytes.toString('utf8', start, end), serde)
          if (validate === 'always' || validate === 'reading') check(value)
          return value
        }
      }
    }
  })
}

function parsed(text: string, serde: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new SerdeError({ serde, operation: 'decode', problem }, { cause })
  }
}
