import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** A key and one of the places over which its records are spread. */
export class SaltedKey<K = unknown> {
  readonly key: K
  /** From 0, below 65,536. */
  readonly salt: number

  constructor(key: K, salt: number) {
    this.key = key
    this.salt = salt
  }
}

/** The key's bytes, then the salt as 2 bytes, big-endian. Null is never salted. */
export function saltedKey<K>(inner: Serde<K>): Serde<SaltedKey<K>> {
  const name = `salted(${inner.name})`
  return Object.freeze({
    name,
    encode({ key, salt }: SaltedKey<K>): Buffer {
      const keyBytes = inner.encode(key)
      const bytes = Buffer.allocUnsafe(keyBytes.length + 2)
      keyBytes.copy(bytes)
      bytes.writeUInt16BE(salt, keyBytes.length)
      return bytes
    },
    decode(bytes: Buffer, start: number, end: number): SaltedKey<K> {
      const keyEnd = end - 2
      if (keyEnd < start) {
        const problem = `expected a key and 2 bytes of salt, got ${end - start} bytes`
        throw new SerdeError({ serde: name, operation: 'decode', problem })
      }
      return new SaltedKey(inner.decode(bytes, start, keyEnd), bytes.readUInt16BE(keyEnd))
    }
  })
}
