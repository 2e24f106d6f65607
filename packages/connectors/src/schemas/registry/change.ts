import type { RegistryRecord } from './registry-record.ts'

/** A change: what it writes, and what it answers once that is written. */
export interface Change<T> {
  readonly records: readonly RegistryRecord[]
  readonly result: () => T
}
