import { readFileSync } from 'node:fs'
import { parseLosslessly, stringifyLosslessly } from '@millrace/connectors'
import { MillraceError } from '@millrace/log'
import pg from 'pg'
import { ENRICHED_SQL, REGIONS_SQL } from './shop.ts'

/** Two answers that should be equal are not. */
export class DifferenceError extends MillraceError {
  readonly code = 'SOAK_DIFFERENCE'
}

/** Rows as text by key: what can be compared. */
export type Rows = ReadonlyMap<string, string>

const SHOWN = 5
const SHOWN_BEFORE = 120
const SHOWN_AFTER = 200

/** Runs with a connection. Values are written the same way by both databases. */
export async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC -c extra_float_digits=1' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

/** @throws DifferenceError unless the target's tables are what SQL makes of the source now. */
export async function compareTarget(source: pg.Client, target: pg.Client): Promise<void> {
  same(
    'enriched',
    await rowsOf(source, `select id, to_jsonb(e)::text as row from (${ENRICHED_SQL}) e`),
    await rowsOf(target, "select id, (to_jsonb(e) - 'version')::text as row from enriched e")
  )
  same(
    'regions',
    await rowsOf(source, `select region as id, to_jsonb(e)::text as row from (${REGIONS_SQL}) e`),
    await rowsOf(target, "select region as id, (to_jsonb(e) - 'version')::text as row from regions e")
  )
  same(
    'kinds',
    await rowsOf(source, 'select id, k::text as row from kinds k'),
    await rowsOf(target, 'select id, k::text as row from kinds k')
  )
  const { rows } = await source.query(
    `select column_name as name from information_schema.columns where table_name = 'customers' order by 1`
  )
  const columns = rows.map(({ name }) => `'${name}', ${name}`).join(', ')
  const customers = `select id, jsonb_build_object(${columns})::text as row from customers`
  same('customers', await rowsOf(source, customers), await rowsOf(target, customers))
}

/** @throws DifferenceError unless the views, as `job.ts` dumped them, are what the source has and what SQL makes of it. */
export async function compareViews(source: pg.Client, file: string): Promise<void> {
  const views = new Map<string, Map<string, string>>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue
    const [store, key, row] = parseLosslessly(line) as [string, unknown, Record<string, unknown>]
    const rows = views.get(store) ?? new Map<string, string>()
    if (rows.has(stringifyLosslessly(key)))
      throw new DifferenceError(`${store} shows ${stringifyLosslessly(key)} twice`)
    views.set(store, rows.set(stringifyLosslessly(key), stringifyLosslessly(sorted(row))))
  }
  for (const table of ['orders', 'items', 'customers']) {
    const id = table === 'items' ? "json_build_object('id', id, 'line', line)" : 'to_json(id)'
    const { rows } = await source.query(`select ${id} as key, to_json(t)::text as row from ${table} t`)
    const expected = rows.map(({ key, row }) => [
      JSON.stringify(key),
      stringifyLosslessly(sorted(asCaptured(row, table)))
    ])
    same(`the view ${table}`, new Map(expected as [string, string][]), columnsOf(views.get(table), expected))
  }
  const enriched = await source.query(`select id, to_json(e)::text as row from (${ENRICHED_SQL}) e`)
  const regions = await source.query(`select to_json(region) as id, to_json(e)::text as row from (${REGIONS_SQL}) e`)
  for (const [name, { rows }, key] of [
    ['enriched', enriched, 'id'],
    ['regions', regions, 'region']
  ] as const) {
    const expected = rows.map(({ id, row }) => {
      const { [key]: _, ...rest } = parseLosslessly(row) as Record<string, unknown>
      return [name === 'regions' ? JSON.stringify(id) : String(id), stringifyLosslessly(sorted(rest))] as const
    })
    same(`the view ${name}`, new Map(expected), views.get(name) ?? new Map())
  }
}

/** JSON columns are captured as their text; what PostgreSQL writes of one is compared as a value. */
function asCaptured(text: string, table: string): Record<string, unknown> {
  const row = parseLosslessly(text) as Record<string, unknown>
  if (table !== 'customers') return row
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
}

/** A row that was written before a column came has not got it, which is to say null; and one that was there before it went still has it. */
function columnsOf(view: Rows | undefined, expected: readonly (readonly string[])[]): Rows {
  const first = expected[0]?.[1]
  if (first === undefined) return view ?? new Map()
  const names = Object.keys(JSON.parse(first))
  return new Map(
    [...(view ?? [])].map(([key, text]) => {
      const row = parseLosslessly(text) as Record<string, unknown>
      return [key, stringifyLosslessly(Object.fromEntries(names.map((name) => [name, plain(row[name] ?? null)])))]
    })
  )
}

function plain(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith('{')) return sorted(JSON.parse(value))
  return typeof value === 'object' && value !== null ? sorted(value as Record<string, unknown>) : value
}

function sorted(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

async function rowsOf(client: pg.Client, sql: string): Promise<Rows> {
  const { rows } = await client.query(sql)
  return new Map(rows.map(({ id, row }) => [String(id), String(row)]))
}

/** @throws DifferenceError unless both have the same rows. */
export function same(what: string, expected: Rows, found: Rows): void {
  const wrong = [...new Set([...expected.keys(), ...found.keys()])].filter(
    (key) => expected.get(key) !== found.get(key)
  )
  if (wrong.length === 0) return
  const shown = wrong.slice(0, SHOWN).map((key) => differenceOf(key, expected.get(key), found.get(key)))
  throw new DifferenceError(
    `${what}: ${wrong.length} rows differ (${expected.size} expected, ${found.size} found)${shown.join('')}`
  )
}

/** Both from a little before they part. */
function differenceOf(key: string, expected = 'nothing', found = 'nothing'): string {
  let at = 0
  while (at < expected.length && expected[at] === found[at]) at++
  const from = Math.max(0, at - SHOWN_BEFORE)
  const part = (text: string) => text.slice(from, at + SHOWN_AFTER)
  return `\n  ${key}: expected …${part(expected)}\n  ${key}: found    …${part(found)}`
}
