import type { Field, FieldType, Infer, PartialOf, Struct } from '../schema.ts'
import { ZERO_UUID } from '../schema.ts'

const EMPTY: readonly never[] = Object.freeze([])
const NO_BYTES = Buffer.alloc(0)

/** The value that stands for a field that is not there. Structs are made anew; arrays and bytes are shared and read-only. */
export function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default
  return zeroOf(field.type)
}

/** Whether a value equals the field's default: a tagged field that does is not written. */
export function isDefault(field: Field, value: unknown): boolean {
  const byDefault = defaultOf(field)
  if (value === byDefault) return true
  if (Array.isArray(value)) return Array.isArray(byDefault) && value.length === 0 && byDefault.length === 0
  if (Buffer.isBuffer(value)) return Buffer.isBuffer(byDefault) && value.equals(byDefault)
  if (field.type.kind !== 'struct' || !isObject(value) || byDefault === null) return false
  return Object.entries(field.type.fields).every(([name, inner]) => isDefault(inner, value[name]))
}

/** Fills in the fields that `partial` leaves out, at every depth, with their declared defaults. */
export function withDefaults<S extends Struct>(struct: S, partial: PartialOf<Infer<S>>): Infer<S> {
  return complete(struct, partial) as Infer<S>
}

function complete(type: FieldType, value: unknown): unknown {
  if (value === null) return null
  if (type.kind === 'array' && Array.isArray(value)) return value.map((element) => complete(type.element, element))
  if (type.kind !== 'struct' || !isObject(value)) return value
  const filled: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(type.fields)) {
    const given = value[name]
    filled[name] = given === undefined ? defaultOf(field) : complete(field.type, given)
  }
  return filled
}

function zeroOf(type: FieldType): unknown {
  switch (type.kind) {
    case 'boolean':
      return false
    case 'string':
      return ''
    case 'uuid':
      return ZERO_UUID
    case 'bytes':
      return NO_BYTES
    case 'records':
    case 'array':
      return EMPTY
    case 'struct':
      return complete(type, {})
    default:
      return 0
  }
}

/** Whether a value has properties to read. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
