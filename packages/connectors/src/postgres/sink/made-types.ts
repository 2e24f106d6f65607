import type { PostgresSession } from './session.ts'

/** What a type is made of that somebody has made: a domain of its base type, a composite of its fields. */
export type MadeType =
  | { readonly base: string }
  | { readonly fields: readonly { readonly name: string; readonly type: string }[] }

/** Types by name; names and types as `format_type` writes them. */
export type MadeTypes = ReadonlyMap<string, MadeType>

const MADE_TYPES = `
  WITH RECURSIVE reached AS (
    SELECT atttypid AS oid FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT part.oid FROM reached JOIN pg_type t ON t.oid = reached.oid CROSS JOIN LATERAL (
      SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) part)
  SELECT format_type(t.oid, NULL) AS name,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base,
    ARRAY(SELECT a.attname::text FROM pg_attribute a
      WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS fields,
    ARRAY(SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
      WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS types
  FROM reached JOIN pg_type t ON t.oid = reached.oid WHERE t.typtype IN ('d', 'c')`

/** The types that the values of a table's columns are made of. @param name the table, quoted. */
export async function readMadeTypes(session: PostgresSession, name: string): Promise<MadeTypes> {
  const { rows } = await session.query(MADE_TYPES, [name])
  return new Map(
    rows.map(({ name: type, base, fields, types }): [string, MadeType] => {
      if (typeof base === 'string') return [String(type), { base }]
      const typeList = Array.isArray(types) ? types : []
      const names = Array.isArray(fields) ? fields : []
      return [String(type), { fields: names.map((field, at) => ({ name: String(field), type: String(typeList[at]) })) }]
    })
  )
}

/** The type below domains; any other type itself. */
export function baseOf(type: string, madeTypes: MadeTypes): string {
  const made = madeTypes.get(type)
  return made !== undefined && 'base' in made ? baseOf(made.base, madeTypes) : type
}
