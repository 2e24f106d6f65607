/** A table of the target, as its catalog has it. */
export interface TargetTable {
  readonly table: string
  readonly columns: ReadonlyMap<string, TargetColumn>
  /** Column sets of the primary key and of the unique indexes that upserts can go by. */
  readonly uniqueKeys: readonly (readonly string[])[]
}

/** A column of the target. */
export interface TargetColumn {
  readonly name: string
  /** As the target writes it, e.g. `numeric(12,2)`. */
  readonly type: string
  /** False of generated columns, which take no values. */
  readonly writable: boolean
}

/** Whether the columns, in any order, are the primary key or a unique index. */
export function hasUniqueKey(target: TargetTable, columns: readonly string[]): boolean {
  return target.uniqueKeys.some((key) => key.length === columns.length && key.every((name) => columns.includes(name)))
}
