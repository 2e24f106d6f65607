import type { AvroType } from './avro-type.ts'

const INT_LEAST = -(2 ** 31)
const INT_GREATEST = 2 ** 31 - 1

/**
 * Why a JSON value cannot be the default of a field; undefined: it can. Of a union, the default may be of any branch (Avro 1.12); bytes and
 * fixed are written as text of the code points 0 to 255.
 */
export function defaultProblem(type: AvroType, value: unknown): string | undefined {
  return isValidDefault(type, value) ? undefined : `the default ${JSON.stringify(value)} is no ${type.kind}`
}

function isValidDefault(type: AvroType, value: unknown): boolean {
  switch (type.kind) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
      return Number.isInteger(value) && Number(value) >= INT_LEAST && Number(value) <= INT_GREATEST
    case 'long':
      return Number.isInteger(value)
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'string':
    case 'bytes':
    case 'enum':
    case 'fixed':
      return typeof value === 'string'
    case 'array':
      return Array.isArray(value) && value.every((item) => isValidDefault(type.items, item))
    case 'map':
      return isObject(value) && Object.values(value).every((one) => isValidDefault(type.values, one))
    case 'record':
      return (
        isObject(value) &&
        type.fields.every((field) =>
          isValidDefault(field.type, field.name in value ? value[field.name] : field.default)
        )
      )
    case 'union':
      return type.branches.some((branch) => isValidDefault(branch, value))
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
