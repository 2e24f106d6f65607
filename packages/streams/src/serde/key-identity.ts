import type { Serde } from './serde.ts'

/** A function to a primitive that is equal exactly where two values are: the serde's own, or the encoded bytes as text. */
export function keyIdentity<T>(serde: Serde<T>): (value: T) => string | number | bigint | boolean {
  const { identity } = serde
  if (identity !== undefined) return (value) => identity(value)
  return (value) => serde.encode(value).toString('latin1')
}
