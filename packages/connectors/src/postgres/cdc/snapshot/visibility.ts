/** What a snapshot of the database sees: `pg_current_snapshot()`. Transaction ids are 64 bits wide here, as numbers. */
export interface Visibility {
  /** All transactions before this one had ended. */
  readonly xmin: number
  /** None from this one on had begun. */
  readonly xmax: number
  /** Those between that were running. */
  readonly running: ReadonlySet<number>
  /** As PostgreSQL writes it. */
  readonly text: string
}

/** Reads `xmin:xmax:xid,xid,…`. */
export function parseVisibility(text: string): Visibility {
  const [xmin, xmax, running] = text.split(':')
  return {
    xmin: Number(xmin),
    xmax: Number(xmax),
    running: new Set(running ? running.split(',').map(Number) : []),
    text
  }
}

/**
 * Whether a snapshot sees what a committed transaction did. The 32 bits that the replication stream and a row's `xmin` give are those of the
 * 64-bit id nearest to the snapshot.
 */
export function isVisible(xid: number, visibility: Visibility): boolean {
  const full = widen(xid, visibility.xmax)
  return full < visibility.xmax && !visibility.running.has(full)
}

/** The 64-bit transaction id that ends with these 32 bits and is nearest to another. */
export function widen(xid: number, near: number): number {
  const base = near - (near % 2 ** 32) + xid
  if (base > near + 2 ** 31 && base >= 2 ** 32) return base - 2 ** 32
  if (base < near - 2 ** 31) return base + 2 ** 32
  return base
}
