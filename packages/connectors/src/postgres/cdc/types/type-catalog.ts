import type { PostgresClient } from '../../driver.ts'
import {
  bitEncoder,
  type ColumnEncoder,
  encodeBoolean,
  encodeBytes,
  encodeFloat,
  encodeInteger,
  encodeMoney,
  encodePoint,
  encodeText
} from './column-encoder.ts'
import { arrayEncoder, compositeEncoder, encodeHstore } from './nested-encoder.ts'
import { encodeDate, encodeZonedTime, encodeZonedTimestamp, timeEncoder, timestampEncoder } from './time-encoder.ts'

const FIRST_USER_OID = 16_384
const MICROSECOND_DIGITS = 6

/** A row of `pg_type`, as far as it matters. */
interface CatalogType {
  readonly oid: number
  readonly name: string
  readonly builtin: boolean
  /** `b` base, `c` composite, `d` domain, `e` enum, `r` range, `m` multirange, `p` pseudo. */
  readonly kind: string
  readonly isArray: boolean
  readonly element: number
  readonly base: number
  readonly baseModifier: number
  readonly delimiter: string
  /** Bytes of a fixed-size value; -1 when it varies. */
  readonly sizeBytes: number
  readonly fields: readonly CatalogField[]
}

interface CatalogField {
  readonly name: string
  readonly type: number
  readonly modifier: number
}

/** Encoders of types without a modifier, by name. Whatever is not here is text: uuid, xml, inet, ranges, enums, tsvector, json … */
const SCALARS: Readonly<Record<string, ColumnEncoder>> = {
  int2: encodeInteger,
  int4: encodeInteger,
  int8: encodeInteger,
  oid: encodeInteger,
  float4: encodeFloat,
  float8: encodeFloat,
  bool: encodeBoolean,
  bytea: encodeBytes,
  money: encodeMoney,
  point: encodePoint,
  date: encodeDate,
  timestamptz: encodeZonedTimestamp,
  timetz: encodeZonedTime
}

/**
 * The types of the database and how their text becomes JSON. Loaded when a table with them first shows up; types of users' own are read again
 * with each new shape of a table, since composites and enums may have changed with it.
 */
export class TypeCatalog {
  readonly #client: PostgresClient
  readonly #types = new Map<number, CatalogType>()

  constructor(client: PostgresClient) {
    this.#client = client
  }

  /** Whether a table with these types needs a look into the database. */
  knows(oids: readonly number[]): boolean {
    return oids.every((oid) => oid < FIRST_USER_OID && this.#types.has(oid))
  }

  /** Reads these types and all that they are made of. Types that are gone by now stay unknown, and are text. */
  async load(oids: readonly number[]): Promise<void> {
    let wanted = oids.filter((oid) => oid >= FIRST_USER_OID || !this.#types.has(oid))
    const seen = new Set(wanted)
    while (wanted.length > 0) {
      const loaded = await this.#read(wanted)
      const inner = loaded.flatMap((type) => [type.element, type.base, ...type.fields.map((field) => field.type)])
      wanted = [...new Set(inner)].filter((oid) => oid !== 0 && !seen.has(oid) && !this.#types.has(oid))
      for (const oid of wanted) seen.add(oid)
    }
  }

  /** How a column of this type is written. */
  encoder(oid: number, modifier: number): ColumnEncoder {
    const type = this.#types.get(oid)
    if (!type) return encodeText
    if (type.kind === 'd') {
      return this.encoder(type.base, type.baseModifier === -1 ? modifier : type.baseModifier)
    }
    if (type.isArray) return arrayEncoder(this.encoder(type.element, modifier), type.delimiter.charCodeAt(0))
    if (type.kind === 'c') {
      return compositeEncoder(
        type.fields.map((field) => ({ name: field.name, encode: this.encoder(field.type, field.modifier) }))
      )
    }
    if (!type.builtin) return type.name === 'hstore' ? encodeHstore : encodeText
    return scalarEncoder(type.name, modifier)
  }

  /** How many bytes a value may take in storage for each byte of its text, and at least: an estimate from above. */
  storage(oid: number): { readonly fixedBytes: number; readonly perTextByte: number } {
    const type = this.#types.get(oid)
    if (!type) return { fixedBytes: 8, perTextByte: 8 }
    if (type.kind === 'd') return this.storage(type.base)
    if (type.sizeBytes > 0) return { fixedBytes: type.sizeBytes + 8, perTextByte: 0 }
    const dense = ['text', 'varchar', 'bpchar', 'bytea', 'xml', 'citext', 'json', 'varbit', 'bit', 'name', 'numeric']
    return { fixedBytes: 16, perTextByte: dense.includes(type.name) ? 1 : 8 }
  }

  async #read(oids: readonly number[]): Promise<CatalogType[]> {
    const { rows } = await this.#client.query({ text: TYPES, values: [oids] })
    const types = rows.map(typeOf)
    for (const type of types) this.#types.set(type.oid, type)
    return types
  }
}

const TYPES = `
select t.oid::int8::text as oid, t.typname as name, n.nspname = 'pg_catalog' as builtin, t.typtype as kind,
  t.typcategory = 'A' and t.typelem <> 0 and t.typname not in ('int2vector', 'oidvector') as is_array,
  t.typelem::int8::text as element, t.typbasetype::int8::text as base, t.typtypmod as base_modifier, t.typdelim as delimiter, t.typlen as size,
  case when t.typtype = 'c' then (
    select json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8, 'modifier', a.atttypmod) order by a.attnum)
    from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  )::text end as fields
from pg_type t join pg_namespace n on n.oid = t.typnamespace
where t.oid = any($1::oid[])`

function typeOf(row: Readonly<Record<string, unknown>>): CatalogType {
  return {
    oid: Number(row.oid),
    name: String(row.name),
    builtin: row.builtin === true,
    kind: String(row.kind),
    isArray: row.is_array === true,
    element: row.is_array === true ? Number(row.element) : 0,
    base: Number(row.base),
    baseModifier: Number(row.base_modifier),
    delimiter: String(row.delimiter),
    sizeBytes: Number(row.size),
    fields: typeof row.fields === 'string' ? JSON.parse(row.fields) : []
  }
}

function scalarEncoder(name: string, modifier: number): ColumnEncoder {
  switch (name) {
    case 'timestamp':
      return timestampEncoder(modifier === -1 ? MICROSECOND_DIGITS : modifier)
    case 'time':
      return timeEncoder(modifier === -1 ? MICROSECOND_DIGITS : modifier)
    case 'bit':
      return bitEncoder(modifier === 1)
    default:
      return SCALARS[name] ?? encodeText
  }
}
