/** PostgreSQL's five-character code in an error of the driver; undefined when the error is none of the server's. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined
}

/**
 * Whether the same may succeed later: the connection is lost (08), the server stops or starts (57P0x), is short of something (53), took this
 * transaction as the victim of a deadlock or conflict (40), was too slow in a lock (55P03) or altogether (57014), or is a standby for now (25006).
 */
export function isTransientState(sqlState: string): boolean {
  return /^(08|40|53|57P0|55P03|57014|25006)/.test(sqlState)
}

/** Whether the server refuses the user, the password, the database, or a privilege: 28, 3D000, 42501. */
export function isAccessState(sqlState: string): boolean {
  return /^(28|3D000|42501)/.test(sqlState)
}
