import type { Schema, Type } from 'avsc'
import { guardedCollections } from './avro-collections.ts'
import { bigintLong, numberLong } from './avro-long.ts'
import { avsc } from './avsc-library.ts'

/** How longs are read: numbers (exact to 2^52, an error beyond) or bigints. */
export type AvroLongs = 'number' | 'bigint'

/**
 * avsc's type of a schema, with what avsc itself gets wrong mended: longs are exact or refused, and arrays and maps end where their bytes do.
 * @param before schemas whose named types this one may use; each may use those before it.
 * @throws what avsc throws for a schema that is none.
 */
export function avroType(schema: Schema, longs: AvroLongs = 'number', before: readonly Schema[] = []): Type {
  const registry = { long: longs === 'bigint' ? bigintLong() : numberLong() }
  const options = { registry, typeHook: guardedCollections }
  for (const one of before) avsc().Type.forSchema(one, options)
  return avsc().Type.forSchema(schema, options)
}
