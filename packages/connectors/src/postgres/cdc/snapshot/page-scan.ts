import type { PostgresClient } from '../../driver.ts'
import { quoteIdentifier } from '../connection.ts'
import type { SnapshotPosition } from '../position.ts'
import type { CatalogTable } from '../tables/table-shape.ts'
import { pagesChunk } from './chunk-query.ts'

const CHUNK_PAGES = 256

/** A table that holds rows: the table itself, or a partition. */
export interface Leaf {
  /** Quoted, with schema. */
  readonly name: string
  readonly pages: number
}

/** Where the rows of a table without a key are now. */
export async function leavesOf(client: PostgresClient, table: CatalogTable): Promise<Leaf[]> {
  const { rows } = await client.query({
    text: `select n.nspname as schema, c.relname as table,
      (pg_relation_size(c.oid) / current_setting('block_size')::int)::int as pages
      from (select $1::oid as oid where not $2 union all select relid::oid from pg_partition_tree($1::oid) where isleaf and $2) t
      join pg_class c on c.oid = t.oid join pg_namespace n on n.oid = c.relnamespace order by c.oid`,
    values: [table.oid, table.isPartitioned]
  })
  return rows.map((row) => ({
    name: `${quoteIdentifier(String(row.schema))}.${quoteIdentifier(String(row.table))}`,
    pages: Number(row.pages)
  }))
}

/** Reads the pages that are next. */
export function nextPages(table: CatalogTable, cursor: SnapshotPosition, leaves: readonly Leaf[]): string {
  const { leaf, next } = cursor.pages ?? { leaf: 0, next: 0 }
  const name = leaves[leaf]?.name ?? leaves[0].name
  return pagesChunk(table, { leaf: name, from: next, to: leaf < leaves.length ? next + CHUNK_PAGES : next })
}

/** Where the snapshot is behind those pages. */
export function pagesAfter(cursor: SnapshotPosition, leaves: readonly Leaf[], rows: number): SnapshotPosition {
  const pages = cursor.pages ?? { leaf: 0, next: 0, visible: '' }
  const next = pages.next + CHUNK_PAGES
  const isLeafDone = next >= (leaves[pages.leaf]?.pages ?? 0)
  const after = isLeafDone ? { ...pages, leaf: pages.leaf + 1, next: 0 } : { ...pages, next }
  const state = after.leaf >= leaves.length ? 'done' : 'running'
  return { ...cursor, state, rows: cursor.rows + rows, pages: after }
}
